-- Versions of models. Artefacts are objects; what is needed to serve and to judge one stands here.
CREATE TABLE versions (
  tenant text NOT NULL,
  name text NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  stage text NOT NULL CHECK (stage IN ('refused', 'candidate', 'canary', 'production', 'retired', 'rolled_back')),
  share integer NOT NULL CHECK (share BETWEEN 0 AND 100),
  reason text NOT NULL,
  trained_at_ms bigint NOT NULL,
  stage_since_ms bigint NOT NULL,
  artefact_key text NOT NULL,
  sha256 text NOT NULL,
  metrics jsonb NOT NULL,
  segments jsonb NOT NULL,
  lineage jsonb NOT NULL,
  -- The distribution of its scores on rows that it was not trained on, in bins.
  reference jsonb NOT NULL,
  PRIMARY KEY (tenant, name, version)
);
-- One canary and one in production at a time.
CREATE UNIQUE INDEX versions_serving ON versions (tenant, name, stage) WHERE stage IN ('canary', 'production');

-- What was seen of a version since it has its stage and share: counts for each bin of its reference.
CREATE TABLE live (
  tenant text NOT NULL,
  name text NOT NULL,
  version integer NOT NULL,
  since_ms bigint NOT NULL,
  predictions integer NOT NULL,
  failures integer NOT NULL,
  bins integer[] NOT NULL,
  PRIMARY KEY (tenant, name, version)
);

-- What churn is told by: accounts, and what each did on a day.
CREATE TABLE accounts (
  tenant text NOT NULL,
  user_id text NOT NULL,
  since_day integer NOT NULL,
  tier text NOT NULL DEFAULT '',
  region text NOT NULL DEFAULT '',
  PRIMARY KEY (tenant, user_id)
);
CREATE TABLE days (
  tenant text NOT NULL,
  user_id text NOT NULL,
  day integer NOT NULL,
  sessions integer NOT NULL DEFAULT 0,
  watched_s double precision NOT NULL DEFAULT 0,
  errors integer NOT NULL DEFAULT 0,
  scores integer NOT NULL DEFAULT 0,
  score_sum double precision NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, user_id, day)
);
CREATE INDEX days_by_day ON days (tenant, day);
