CREATE TABLE campaigns (
  tenant text NOT NULL,
  id text NOT NULL,
  body jsonb NOT NULL,
  created_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, id)
);

-- Slates have no campaign. What another server's ad is known by stands in external_key.
CREATE TABLE creatives (
  tenant text NOT NULL,
  id text NOT NULL CHECK (id LIKE 'ad-%'),
  campaign_id text NOT NULL,
  title text NOT NULL,
  click_through text NOT NULL,
  state text NOT NULL CHECK (state IN ('fetching', 'processing', 'ready', 'failed')),
  failure text NOT NULL,
  duration_s double precision NOT NULL,
  package_revision integer NOT NULL,
  index_version integer NOT NULL,
  external_key text,
  source_url text,
  created_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX creatives_external ON creatives (tenant, external_key) WHERE external_key IS NOT NULL;
CREATE INDEX creatives_campaign ON creatives (tenant, campaign_id);

CREATE TABLE breaks (
  tenant text NOT NULL,
  content_id text NOT NULL,
  body jsonb NOT NULL,
  PRIMARY KEY (tenant, content_id)
);

-- What was decided for a session, and how far its player was heard of.
CREATE TABLE decisions (
  tenant text NOT NULL,
  session_id text NOT NULL,
  user_id text NOT NULL,
  profile_id text NOT NULL,
  content_id text NOT NULL,
  slots jsonb NOT NULL,
  heard jsonb NOT NULL,
  created_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, session_id)
);
CREATE INDEX decisions_user ON decisions (tenant, user_id);
CREATE INDEX decisions_age ON decisions (tenant, created_at_ms);

CREATE TABLE beacons (
  tenant text NOT NULL,
  id text NOT NULL,
  user_id text NOT NULL,
  uri text NOT NULL,
  attempts integer NOT NULL,
  next_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX beacons_due ON beacons (tenant, next_at_ms);
CREATE INDEX beacons_user ON beacons (tenant, user_id);

-- Of nobody in particular.
CREATE TABLE deliveries (
  tenant text NOT NULL,
  day date NOT NULL,
  campaign_id text NOT NULL,
  creative_id text NOT NULL,
  impressions bigint NOT NULL,
  completes bigint NOT NULL,
  PRIMARY KEY (tenant, day, campaign_id, creative_id)
);

-- What other players were told to tell us, and did: each event of each serving once.
CREATE TABLE served (
  tenant text NOT NULL,
  serving_id text NOT NULL,
  event text NOT NULL,
  at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, serving_id, event)
);
CREATE INDEX served_age ON served (tenant, at_ms);
