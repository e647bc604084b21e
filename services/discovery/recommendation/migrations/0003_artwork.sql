-- Which picture of a title a profile is shown, and whether it went to the title since.
CREATE TABLE artwork_shows (
  tenant text NOT NULL,
  profile_id text NOT NULL,
  content_id text NOT NULL,
  user_id text NOT NULL,
  key text NOT NULL,
  -- The genre that the profile likes most; empty: nobody knows.
  taste text NOT NULL,
  shown_at_ms bigint NOT NULL,
  is_chosen boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant, profile_id, content_id)
);
CREATE INDEX artwork_shows_by_user ON artwork_shows (tenant, user_id);
CREATE INDEX artwork_shows_by_title ON artwork_shows (tenant, content_id);
