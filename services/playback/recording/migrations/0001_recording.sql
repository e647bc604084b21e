-- What is recorded and played: one of each account, or shared by several.
CREATE TABLE copies (
  tenant text NOT NULL,
  id text NOT NULL,
  channel_id text NOT NULL,
  programme_id text NOT NULL,
  shared boolean NOT NULL,
  tier text NOT NULL,
  age_rating int NOT NULL,
  from_ms bigint NOT NULL,
  to_ms bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('scheduled', 'recording', 'completed', 'failed', 'deleting')),
  -- The span that the channel was told to keep; 0 before.
  pinned_to_ms bigint NOT NULL DEFAULT 0,
  -- The last segment of the channel that was dealt with; 0 before the first.
  last_number bigint NOT NULL DEFAULT 0,
  segments int NOT NULL DEFAULT 0,
  index_version int NOT NULL DEFAULT 0,
  indexed_segments int NOT NULL DEFAULT 0,
  -- What is known of the tracks, once the first segment was there.
  tracks jsonb,
  gaps jsonb NOT NULL DEFAULT '[]',
  due_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX copies_due ON copies (tenant, due_at_ms) WHERE state IN ('scheduled', 'recording', 'deleting');
CREATE INDEX copies_shared ON copies (tenant, programme_id) WHERE shared;

CREATE TABLE segments (
  tenant text NOT NULL,
  copy_id text NOT NULL,
  number int NOT NULL,
  tracks jsonb NOT NULL,
  PRIMARY KEY (tenant, copy_id, number),
  FOREIGN KEY (tenant, copy_id) REFERENCES copies (tenant, id) ON DELETE CASCADE
);

CREATE TABLE recordings (
  tenant text NOT NULL,
  id text NOT NULL,
  user_id text NOT NULL,
  profile_id text NOT NULL,
  rule_id text,
  copy_id text NOT NULL,
  channel_id text NOT NULL,
  channel_name text NOT NULL,
  programme_id text NOT NULL,
  titles jsonb NOT NULL,
  series_id text NOT NULL,
  episode_key text NOT NULL,
  age_rating int NOT NULL,
  start_ms bigint NOT NULL,
  stop_ms bigint NOT NULL,
  pad_before_s int NOT NULL,
  pad_after_s int NOT NULL,
  state text NOT NULL CHECK (state IN ('scheduled', 'recording', 'completed', 'failed')),
  failure text NOT NULL DEFAULT '',
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, copy_id) REFERENCES copies (tenant, id) ON DELETE CASCADE
);
CREATE INDEX recordings_user ON recordings (tenant, user_id, start_ms DESC);
CREATE INDEX recordings_copy ON recordings (tenant, copy_id);
CREATE INDEX recordings_programme ON recordings (tenant, programme_id);

CREATE TABLE rules (
  tenant text NOT NULL,
  id text NOT NULL,
  user_id text NOT NULL,
  profile_id text NOT NULL,
  series_id text NOT NULL,
  title text NOT NULL,
  channel_id text NOT NULL,
  new_only boolean NOT NULL,
  keep int NOT NULL,
  pad_before_s int NOT NULL,
  pad_after_s int NOT NULL,
  -- When the guide is looked through for it next.
  due_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX rules_due ON rules (tenant, due_at_ms);
CREATE INDEX rules_user ON rules (tenant, user_id);

-- Episodes that a rule has dealt with: what was deleted after it was seen is not recorded again.
CREATE TABLE episodes (
  tenant text NOT NULL,
  rule_id text NOT NULL,
  episode_key text NOT NULL,
  recording_id text NOT NULL,
  PRIMARY KEY (tenant, rule_id, episode_key),
  FOREIGN KEY (tenant, rule_id) REFERENCES rules (tenant, id) ON DELETE CASCADE
);
