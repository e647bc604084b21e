CREATE TABLE bookmarks (
  tenant text NOT NULL,
  profile_id text NOT NULL,
  content_id text NOT NULL,
  user_id text NOT NULL,
  position_s double precision NOT NULL CHECK (position_s >= 0),
  duration_s double precision NOT NULL CHECK (duration_s >= 0),
  finished boolean NOT NULL,
  -- Taken off "Continue watching" by hand; the next report brings it back.
  removed boolean NOT NULL DEFAULT false,
  session_started_at_ms bigint NOT NULL,
  sequence integer NOT NULL,
  updated_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, profile_id, content_id)
);
CREATE INDEX bookmarks_unfinished ON bookmarks (tenant, profile_id, updated_at_ms DESC) WHERE NOT finished AND NOT removed;

CREATE TABLE saved (
  tenant text NOT NULL,
  profile_id text NOT NULL,
  content_id text NOT NULL,
  user_id text NOT NULL,
  saved_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, profile_id, content_id)
);
CREATE INDEX saved_newest ON saved (tenant, profile_id, saved_at_ms DESC);
