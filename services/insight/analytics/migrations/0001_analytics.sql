-- The catalogue of the lake: which metadata file of a table is the current one. To change this row is to commit.
CREATE TABLE lake_tables (
  tenant text NOT NULL,
  name text NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  metadata_key text NOT NULL,
  snapshot_id bigint NOT NULL,
  -- The sequence number of the oldest snapshot that the metadata still names.
  oldest_sequence bigint NOT NULL,
  row_count bigint NOT NULL CHECK (row_count >= 0),
  file_count bigint NOT NULL CHECK (file_count >= 0),
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  updated_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, name)
);

-- Objects that are to be deleted: drafts, which a commit takes off this list, and what snapshots since `sequence` do not reach.
CREATE TABLE garbage (
  tenant text NOT NULL,
  key text NOT NULL,
  is_draft boolean NOT NULL,
  sequence bigint NOT NULL,
  not_before_ms bigint NOT NULL,
  is_doomed boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant, key)
);
CREATE INDEX garbage_due ON garbage (tenant, not_before_ms);

-- People whose events are to be found nowhere. They stay for as long as the event log may still bring some.
CREATE TABLE erasures (
  tenant text NOT NULL,
  user_id text NOT NULL CHECK (user_id <> ''),
  id bigint GENERATED ALWAYS AS IDENTITY,
  asked_at_ms bigint NOT NULL,
  done_at_ms bigint,
  PRIMARY KEY (tenant, user_id)
);
CREATE INDEX erasures_open ON erasures (tenant) WHERE done_at_ms IS NULL;
