CREATE TABLE subscriptions (
  tenant text NOT NULL,
  user_id text NOT NULL,
  tier text NOT NULL,
  since_ms bigint NOT NULL,
  PRIMARY KEY (tenant, user_id)
);
