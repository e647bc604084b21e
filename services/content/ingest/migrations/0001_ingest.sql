CREATE TABLE ingests (
  tenant text NOT NULL,
  content_id text NOT NULL,
  file_name text NOT NULL,
  source_path text NOT NULL,
  source_key text NOT NULL DEFAULT '',
  state text NOT NULL CHECK (state IN ('waiting', 'copying', 'checking', 'accepted', 'failed')),
  failure text NOT NULL DEFAULT '',
  failure_reason text NOT NULL DEFAULT '',
  duplicate_of text NOT NULL DEFAULT '',
  preset text NOT NULL CHECK (preset IN ('quick', 'full')),
  -- What the caller asked for, as JSON: subtitles, metadata, publication, duplicates.
  wishes text NOT NULL,
  attempt integer NOT NULL DEFAULT 1,
  duration_s double precision NOT NULL DEFAULT 0,
  width integer NOT NULL DEFAULT 0,
  height integer NOT NULL DEFAULT 0,
  created_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, content_id)
);
CREATE INDEX ingests_recent ON ingests (tenant, created_at_ms DESC);

CREATE TABLE fingerprints (
  tenant text NOT NULL,
  content_id text NOT NULL,
  duration_s double precision NOT NULL,
  fingerprint text NOT NULL,
  PRIMARY KEY (tenant, content_id)
);
CREATE INDEX fingerprints_near ON fingerprints (tenant, duration_s);
