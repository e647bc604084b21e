-- What the plan of an account opens, such as tier:premium.
CREATE TABLE grants (
  tenant text NOT NULL,
  user_id text NOT NULL,
  entitlement text NOT NULL,
  granted_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, user_id, entitlement)
);
