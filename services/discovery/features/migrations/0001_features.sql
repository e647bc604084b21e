-- What is kept of an entity for a group of features, and what was published of it last. The cache holds copies of what was published.
CREATE TABLE states (
  tenant text NOT NULL,
  feature_group text NOT NULL,
  entity_key text NOT NULL,
  -- Whose it is; empty for what is no person.
  user_id text NOT NULL,
  -- Sums by day, hour or minute: of these all values are made.
  state jsonb NOT NULL,
  -- The latest event that is in it.
  event_time_ms bigint NOT NULL,
  -- As the cache has it; null before the first time.
  published text,
  published_event_time_ms bigint NOT NULL DEFAULT 0,
  -- When it is to be published, with or without an event; null: not before the next one.
  due_at_ms bigint,
  PRIMARY KEY (tenant, feature_group, entity_key)
);
CREATE INDEX states_due ON states (tenant, due_at_ms) WHERE due_at_ms IS NOT NULL;
CREATE INDEX states_by_user ON states (tenant, user_id) WHERE user_id <> '';
