CREATE TABLE experiments (
  tenant text NOT NULL,
  name text NOT NULL,
  surface text NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'stopped')),
  treatment_percent integer NOT NULL CHECK (treatment_percent BETWEEN 5 AND 50),
  metric text NOT NULL,
  scale double precision NOT NULL CHECK (scale > 0),
  window_ms bigint NOT NULL CHECK (window_ms > 0),
  started_at_ms bigint NOT NULL,
  stopped_at_ms bigint,
  reason text NOT NULL DEFAULT '',
  PRIMARY KEY (tenant, name)
);
CREATE INDEX experiments_running ON experiments (tenant, surface) WHERE state = 'running';

-- Who met which arm, and what they did in their window. A person is one sample of each metric, taken once, when the window is over.
CREATE TABLE exposures (
  tenant text NOT NULL,
  experiment text NOT NULL,
  user_id text NOT NULL,
  arm text NOT NULL CHECK (arm IN ('control', 'treatment')),
  exposed_at_ms bigint NOT NULL,
  ends_at_ms bigint NOT NULL,
  sessions integer NOT NULL DEFAULT 0,
  watched_s double precision NOT NULL DEFAULT 0,
  errors integer NOT NULL DEFAULT 0,
  is_counted boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant, experiment, user_id)
);
CREATE INDEX exposures_of_user ON exposures (tenant, user_id) WHERE NOT is_counted;
CREATE INDEX exposures_due ON exposures (tenant, ends_at_ms) WHERE NOT is_counted;

-- What the samples of an arm add up to, and the smallest p-value that was seen: one that was reached stays reached.
CREATE TABLE sums (
  tenant text NOT NULL,
  experiment text NOT NULL,
  metric text NOT NULL,
  arm text NOT NULL,
  count bigint NOT NULL,
  sum double precision NOT NULL,
  sum_of_squares double precision NOT NULL,
  PRIMARY KEY (tenant, experiment, metric, arm)
);
CREATE TABLE p_values (
  tenant text NOT NULL,
  experiment text NOT NULL,
  metric text NOT NULL,
  p_value double precision NOT NULL,
  PRIMARY KEY (tenant, experiment, metric)
);
