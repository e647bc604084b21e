-- How long a profile watched a channel at a time of day, with less of what is long ago: half after two weeks.
CREATE TABLE channel_views (
  tenant text NOT NULL,
  profile_id text NOT NULL,
  channel_id text NOT NULL,
  -- Quarter of the day, UTC: 0 begins at midnight.
  quarter smallint NOT NULL CHECK (quarter BETWEEN 0 AND 3),
  user_id text NOT NULL,
  seconds double precision NOT NULL CHECK (seconds >= 0),
  last_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, profile_id, channel_id, quarter)
);
CREATE INDEX channel_views_by_user ON channel_views (tenant, user_id);
