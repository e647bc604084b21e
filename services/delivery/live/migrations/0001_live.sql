CREATE TABLE channels (
  tenant text NOT NULL,
  channel_id text NOT NULL,
  number int NOT NULL CHECK (number BETWEEN 1 AND 9999),
  name text NOT NULL CHECK (name <> ''),
  logo text NOT NULL,
  language text NOT NULL,
  latency text NOT NULL CHECK (latency IN ('low', 'standard')),
  age_rating int NOT NULL,
  tier text NOT NULL,
  ladder jsonb NOT NULL,
  inputs jsonb NOT NULL,
  on_air boolean NOT NULL,
  on_demand boolean NOT NULL,
  dvr_window_s int NOT NULL,
  -- How often its timeline began anew, and what its tracks were when it last did.
  runs int NOT NULL DEFAULT 0,
  tracks jsonb NOT NULL DEFAULT '[]',
  PRIMARY KEY (tenant, channel_id),
  UNIQUE (tenant, number)
);

-- Whose a channel is: its address names no tenant.
CREATE TABLE owners (
  channel_id text PRIMARY KEY,
  owner text NOT NULL
);

CREATE TABLE segments (
  tenant text NOT NULL,
  channel_id text NOT NULL,
  number bigint NOT NULL,
  -- Which time its timeline began anew, and with which segment.
  run int NOT NULL,
  run_first bigint NOT NULL,
  day_index int NOT NULL,
  -- By track: sizeBytes, durationTicks, init.
  tracks jsonb NOT NULL,
  size_bytes bigint NOT NULL,
  PRIMARY KEY (tenant, channel_id, number)
);

CREATE TABLE pins (
  tenant text NOT NULL,
  channel_id text NOT NULL,
  holder text NOT NULL,
  first_number bigint NOT NULL,
  last_number bigint NOT NULL CHECK (last_number >= first_number),
  PRIMARY KEY (tenant, channel_id, holder)
);

CREATE TABLE holds (
  tenant text NOT NULL,
  channel_id text NOT NULL,
  holder text NOT NULL,
  until_ms bigint NOT NULL,
  PRIMARY KEY (tenant, channel_id, holder)
);
