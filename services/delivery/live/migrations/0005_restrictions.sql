-- What the guide forbids to do with programmes: to watch them, or to start them over.
CREATE TABLE restrictions (
  tenant text NOT NULL,
  programme_id text NOT NULL,
  channel_id text NOT NULL,
  start_ms bigint NOT NULL,
  stop_ms bigint NOT NULL,
  blackout boolean NOT NULL,
  no_restart boolean NOT NULL,
  PRIMARY KEY (tenant, programme_id)
);
CREATE INDEX restrictions_by_channel ON restrictions (tenant, channel_id, stop_ms);
