CREATE TABLE users (
  tenant text NOT NULL,
  id text NOT NULL,
  email text NOT NULL,
  name text NOT NULL,
  language text NOT NULL,
  created_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, email)
);
