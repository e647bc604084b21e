-- What is known of each living session: a score is made of it with every beat.
CREATE TABLE sessions (
  tenant text NOT NULL,
  session_id text NOT NULL,
  user_id text NOT NULL,
  content_id text NOT NULL,
  content_type text NOT NULL,
  network_id text NOT NULL,
  region text NOT NULL,
  platform text NOT NULL,
  started_at_ms bigint NOT NULL,
  sequence integer NOT NULL,
  time_ms bigint NOT NULL,
  watched_ms bigint NOT NULL CHECK (watched_ms >= 0),
  video_start_ms integer NOT NULL,
  rebuffer_ms integer NOT NULL,
  average_kbps integer NOT NULL,
  max_kbps integer NOT NULL,
  drops integer NOT NULL,
  dropped_frames integer NOT NULL,
  has_error boolean NOT NULL,
  told_at_ms bigint NOT NULL,
  is_over boolean NOT NULL,
  PRIMARY KEY (tenant, session_id)
);
CREATE INDEX sessions_silent ON sessions (tenant, time_ms);
CREATE INDEX sessions_of_user ON sessions (tenant, user_id);

-- Rows on their way to the analytics store, in the order of their ids. They are committed with the marks of the events that they are made
-- of; a shipment is a fixed set of batches, so that it can be sent again and be the same.
CREATE TABLE batches (
  tenant text NOT NULL,
  batch_id text NOT NULL,
  target text NOT NULL,
  rows bytea NOT NULL,
  shipment text,
  PRIMARY KEY (tenant, batch_id)
);

-- People whose rows are to be erased. They stay a day, because what they did last may still be on its way.
CREATE TABLE forgotten (
  tenant text NOT NULL,
  user_id text NOT NULL,
  forgotten_at_ms bigint NOT NULL,
  is_erased boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant, user_id)
);

-- Segments whose score is low now.
CREATE TABLE alerts (
  tenant text NOT NULL,
  dimension text NOT NULL,
  value text NOT NULL,
  opened_at_ms bigint NOT NULL,
  p25 double precision NOT NULL,
  sessions integer NOT NULL,
  PRIMARY KEY (tenant, dimension, value)
);
