-- How the last training of each model stands, for people who wait for it. The job itself is in its queue.
CREATE TABLE trainings (
  tenant text NOT NULL,
  name text NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
  cause text NOT NULL,
  asked_at_ms bigint NOT NULL,
  at_ms bigint NOT NULL,
  message text NOT NULL DEFAULT '',
  PRIMARY KEY (tenant, name)
);
