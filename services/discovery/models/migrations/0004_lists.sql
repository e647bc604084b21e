-- What orders are learned from: lists that somebody was shown, as they were shown, and what was chosen of them.
CREATE TABLE lists (
  tenant text NOT NULL,
  -- home-order or search-order.
  model text NOT NULL,
  list_id text NOT NULL,
  user_id text NOT NULL,
  profile_id text NOT NULL,
  at_ms bigint NOT NULL,
  segment text NOT NULL,
  content_ids text[] NOT NULL,
  -- Where each stands without a model, from 0.
  ranks integer[] NOT NULL,
  scores double precision[] NOT NULL,
  nearness double precision[] NOT NULL,
  chosen text[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (tenant, model, list_id)
);
CREATE INDEX lists_by_profile ON lists (tenant, profile_id, at_ms);
CREATE INDEX lists_by_user ON lists (tenant, user_id);
CREATE INDEX lists_by_time ON lists (tenant, model, at_ms);
