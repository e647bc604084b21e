-- Password hashes (argon2id, PHC strings). email_proven: this account's address was shown to be its owner's.
CREATE TABLE credentials (
  tenant text NOT NULL,
  user_id text NOT NULL,
  password_hash text NOT NULL,
  email_proven boolean NOT NULL,
  changed_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, user_id)
);

-- Accounts at other providers that open an account here.
CREATE TABLE identities (
  tenant text NOT NULL,
  provider text NOT NULL,
  subject text NOT NULL,
  user_id text NOT NULL,
  linked_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, provider, subject)
);
CREATE INDEX identities_by_user ON identities (tenant, user_id);

-- Devices that signed in. grant_id is what they hold now; without one the device is known, but signed out.
CREATE TABLE devices (
  tenant text NOT NULL,
  user_id text NOT NULL,
  device_id text NOT NULL,
  name text NOT NULL,
  type text NOT NULL,
  profile_id text NOT NULL,
  grant_id text,
  last_seen_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, user_id, device_id)
);
CREATE UNIQUE INDEX devices_by_grant ON devices (tenant, grant_id) WHERE grant_id IS NOT NULL;

-- Networks that an account signed in from, hashed: attempts from them are not held back by a storm from elsewhere.
CREATE TABLE networks (
  tenant text NOT NULL,
  user_id text NOT NULL,
  network_hash text NOT NULL,
  last_seen_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, user_id, network_hash)
);

-- Password resets by the hash of their token.
CREATE TABLE resets (
  tenant text NOT NULL,
  token_hash text NOT NULL,
  user_id text NOT NULL,
  expires_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, token_hash)
);
CREATE INDEX resets_by_user ON resets (tenant, user_id);

-- Sign-ins that are under way at another provider, by the hash of their state.
CREATE TABLE brokered (
  tenant text NOT NULL,
  state_hash text NOT NULL,
  provider text NOT NULL,
  interaction text NOT NULL,
  nonce text NOT NULL,
  code_verifier text NOT NULL,
  expires_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, state_hash)
);

-- What the OpenID provider keeps: sessions, interactions, grants, codes, refresh tokens. Ids are secrets, so only their hashes are here.
CREATE TABLE oidc (
  tenant text NOT NULL,
  model text NOT NULL,
  id_hash text NOT NULL,
  payload jsonb NOT NULL,
  grant_id text,
  account_id text,
  user_code text,
  uid text,
  consumed_at_s bigint,
  expires_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, model, id_hash)
);
CREATE INDEX oidc_by_grant ON oidc (tenant, grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX oidc_by_account ON oidc (tenant, account_id) WHERE account_id IS NOT NULL;
CREATE UNIQUE INDEX oidc_by_user_code ON oidc (tenant, user_code) WHERE user_code IS NOT NULL;
CREATE INDEX oidc_by_uid ON oidc (tenant, uid) WHERE uid IS NOT NULL;
CREATE INDEX oidc_by_expiry ON oidc (tenant, expires_at_ms);
