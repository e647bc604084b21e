CREATE TABLE sources (
  tenant text NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  location text NOT NULL,
  zone text NOT NULL,
  priority integer NOT NULL,
  language text NOT NULL,
  adds_channels boolean NOT NULL,
  refresh_s integer NOT NULL,
  asked_at_ms bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, name)
);

CREATE TABLE imports (
  tenant text NOT NULL,
  import_id text NOT NULL,
  source text NOT NULL,
  -- receiving, waiting, reading, accepted or failed.
  state text NOT NULL,
  failure text NOT NULL DEFAULT '',
  failure_reason text NOT NULL DEFAULT '',
  pieces integer NOT NULL DEFAULT 0,
  bytes_read bigint NOT NULL DEFAULT 0,
  bytes_total bigint NOT NULL DEFAULT 0,
  channels integer NOT NULL DEFAULT 0,
  channels_matched integer NOT NULL DEFAULT 0,
  programmes integer NOT NULL DEFAULT 0,
  programmes_kept integer NOT NULL DEFAULT 0,
  findings text NOT NULL,
  created_at_ms bigint NOT NULL,
  finished_at_ms bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, import_id)
);
CREATE INDEX imports_latest ON imports (tenant, created_at_ms DESC);

-- What a document says of a channel, before anything is merged. Rows of an import count once it is accepted.
CREATE TABLE listings (
  tenant text NOT NULL,
  import_id text NOT NULL,
  seq integer NOT NULL,
  source text NOT NULL,
  external_id text NOT NULL,
  start_ms bigint NOT NULL,
  stop_ms bigint,
  length_s integer,
  clump_index integer NOT NULL,
  clump_count integer NOT NULL,
  title text NOT NULL,
  title_key text NOT NULL,
  series_id text NOT NULL,
  episode_key text NOT NULL,
  hash text NOT NULL,
  -- As the grid shows it, and everything there is to say; both JSON.
  card text NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (tenant, import_id, seq)
);
CREATE INDEX listings_of_channel ON listings (tenant, source, external_id, start_ms);

CREATE TABLE source_channels (
  tenant text NOT NULL,
  source text NOT NULL,
  external_id text NOT NULL,
  names text[] NOT NULL,
  logo_url text NOT NULL,
  language text NOT NULL,
  channel_id text NOT NULL,
  -- id, name, number, own, manual or none.
  found_by text NOT NULL,
  explanation text NOT NULL,
  programmes integer NOT NULL,
  PRIMARY KEY (tenant, source, external_id)
);
CREATE INDEX source_channels_of ON source_channels (tenant, channel_id);

CREATE TABLE channels (
  tenant text NOT NULL,
  id text NOT NULL,
  number integer NOT NULL,
  name text NOT NULL,
  logo_url text NOT NULL,
  language text NOT NULL,
  playable boolean NOT NULL,
  -- The source that brought it; empty for a channel of this product.
  source text NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX channels_by_number ON channels (tenant, number, name, id);

-- The guide: what the listings of all sources come to.
CREATE TABLE programmes (
  tenant text NOT NULL,
  id text NOT NULL,
  channel_id text NOT NULL,
  start_ms bigint NOT NULL,
  stop_ms bigint NOT NULL CHECK (stop_ms > start_ms),
  stop_assumed boolean NOT NULL,
  source text NOT NULL,
  title text NOT NULL,
  title_key text NOT NULL,
  series_id text NOT NULL,
  episode_key text NOT NULL,
  hash text NOT NULL,
  card text NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX programmes_of_channel ON programmes (tenant, channel_id, start_ms);
CREATE INDEX programmes_of_series ON programmes (tenant, series_id, start_ms) WHERE series_id <> '';
CREATE INDEX programmes_by_title ON programmes (tenant, title_key);
CREATE INDEX programmes_words ON programmes USING gin (to_tsvector('simple', title_key));

CREATE TABLE restrictions (
  tenant text NOT NULL,
  programme_id text NOT NULL,
  blackout boolean NOT NULL,
  no_restart boolean NOT NULL,
  no_record boolean NOT NULL,
  PRIMARY KEY (tenant, programme_id)
);

-- Which channels of an import have been merged.
CREATE TABLE merges (
  tenant text NOT NULL,
  import_id text NOT NULL,
  channel_id text NOT NULL,
  -- What the rule mended, by word: a JSON object of counts.
  findings text NOT NULL,
  PRIMARY KEY (tenant, import_id, channel_id)
);

CREATE TABLE channel_orders (
  tenant text NOT NULL,
  profile_id text NOT NULL,
  user_id text NOT NULL,
  channel_ids text[] NOT NULL,
  PRIMARY KEY (tenant, profile_id)
);
