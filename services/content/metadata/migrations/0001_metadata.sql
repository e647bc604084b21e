-- What is looked at, from the file that was taken in.
CREATE TABLE titles (
  tenant text NOT NULL,
  content_id text NOT NULL,
  source_key text NOT NULL,
  -- What the probe found (SourceInfo), and subtitles beside the file, as JSON.
  source text NOT NULL,
  sidecars text NOT NULL,
  duration_s double precision NOT NULL,
  begun_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, content_id)
);
CREATE INDEX titles_newest ON titles (tenant, begun_at_ms DESC);

CREATE TABLE steps (
  tenant text NOT NULL,
  content_id text NOT NULL,
  name text NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'skipped', 'failed')),
  model text NOT NULL,
  version text NOT NULL,
  confidence double precision NOT NULL,
  at_ms bigint NOT NULL,
  reason text NOT NULL,
  message text NOT NULL,
  -- The last result, as JSON; it stays while the step is done again.
  value text NOT NULL,
  attempt integer NOT NULL,
  PRIMARY KEY (tenant, content_id, name)
);
CREATE INDEX steps_skipped ON steps (tenant, reason) WHERE state = 'skipped';

-- What people said in place of models.
CREATE TABLE corrections (
  tenant text NOT NULL,
  content_id text NOT NULL,
  what text NOT NULL,
  value text NOT NULL,
  said_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, content_id, what)
);

-- What a person has to look at, and what they said of it.
CREATE TABLE findings (
  tenant text NOT NULL,
  id text NOT NULL,
  content_id text NOT NULL,
  kind text NOT NULL,
  start_s double precision NOT NULL,
  end_s double precision NOT NULL,
  score double precision NOT NULL,
  label text NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'accepted', 'rejected')),
  model text NOT NULL,
  version text NOT NULL,
  found_at_ms bigint NOT NULL,
  decided_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX findings_queue ON findings (tenant, state, found_at_ms);
CREATE INDEX findings_title ON findings (tenant, content_id);

-- One hash a second, sixteen hexadecimal digits each.
CREATE TABLE fingerprints (
  tenant text NOT NULL,
  content_id text NOT NULL,
  hashes text NOT NULL,
  PRIMARY KEY (tenant, content_id)
);
