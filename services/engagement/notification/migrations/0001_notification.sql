CREATE TABLE messages (
  tenant text NOT NULL,
  id text NOT NULL,
  source text NOT NULL,
  user_id text NOT NULL,
  profile_id text NOT NULL,
  template text NOT NULL,
  about jsonb NOT NULL,
  path text NOT NULL,
  in_app boolean NOT NULL,
  created_at_ms bigint NOT NULL,
  expires_at_ms bigint NOT NULL,
  read boolean NOT NULL DEFAULT false,
  clicked boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, profile_id, source)
);
CREATE INDEX messages_newest ON messages (tenant, profile_id, id DESC) WHERE in_app;
CREATE INDEX messages_unread ON messages (tenant, profile_id) WHERE in_app AND NOT read;
CREATE INDEX messages_oldest ON messages (tenant, created_at_ms);
CREATE INDEX messages_user ON messages (tenant, user_id);

-- What is still to be sent; what was sent, or is not worth sending any more, is gone.
CREATE TABLE deliveries (
  tenant text NOT NULL,
  message_id text NOT NULL,
  channel text NOT NULL CHECK (channel IN ('email', 'push')),
  -- The device that is reached; empty for mail.
  device_id text NOT NULL,
  attempts int NOT NULL DEFAULT 0,
  due_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, message_id, channel, device_id),
  FOREIGN KEY (tenant, message_id) REFERENCES messages (tenant, id) ON DELETE CASCADE
);
CREATE INDEX deliveries_due ON deliveries (tenant, due_at_ms);

CREATE TABLE preferences (
  tenant text NOT NULL,
  profile_id text NOT NULL,
  user_id text NOT NULL,
  zone text NOT NULL,
  quiet_from_minute int,
  quiet_until_minute int,
  choices jsonb NOT NULL,
  PRIMARY KEY (tenant, profile_id)
);
CREATE INDEX preferences_user ON preferences (tenant, user_id);

CREATE TABLE subscriptions (
  tenant text NOT NULL,
  user_id text NOT NULL,
  device_id text NOT NULL,
  profile_id text NOT NULL,
  endpoint text NOT NULL,
  p256dh text NOT NULL,
  auth text NOT NULL,
  created_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, user_id, device_id),
  -- A browser that somebody else signed in on is reached for that person alone.
  UNIQUE (tenant, endpoint)
);
CREATE INDEX subscriptions_profile ON subscriptions (tenant, profile_id);
