CREATE TABLE titles (
  tenant text NOT NULL,
  content_id text NOT NULL,
  state text NOT NULL CHECK (state IN ('encoding', 'playable', 'complete', 'failed')),
  source_key text NOT NULL,
  source text NOT NULL,
  plan text NOT NULL,
  -- The package that plays; 0 while there is none.
  package_revision integer NOT NULL DEFAULT 0,
  index_version integer NOT NULL DEFAULT 0,
  failure text NOT NULL DEFAULT '',
  failure_reason text NOT NULL DEFAULT '',
  -- Grows with each retry, so that the jobs of an earlier try cannot be mistaken for the new ones.
  attempt integer NOT NULL DEFAULT 1,
  started_at_ms bigint NOT NULL,
  finished_at_ms bigint,
  PRIMARY KEY (tenant, content_id)
);

CREATE TABLE tasks (
  tenant text NOT NULL,
  content_id text NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  profile text NOT NULL,
  chunk integer NOT NULL,
  stage text NOT NULL CHECK (stage IN ('playable', 'complete')),
  weight double precision NOT NULL,
  done_at_ms bigint,
  -- How often the work was carried through; more than once would be waste, and a test watches it.
  runs integer NOT NULL DEFAULT 0,
  result text NOT NULL DEFAULT '',
  PRIMARY KEY (tenant, content_id, name)
);

CREATE TABLE packages (
  tenant text NOT NULL,
  content_id text NOT NULL,
  revision integer NOT NULL,
  stage text NOT NULL DEFAULT '',
  replaced_at_ms bigint,
  PRIMARY KEY (tenant, content_id, revision)
);
