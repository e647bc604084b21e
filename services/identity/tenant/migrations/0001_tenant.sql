CREATE TABLE tenants (
  id text PRIMARY KEY,
  name text NOT NULL,
  accent text NOT NULL CHECK (accent ~ '^#[0-9a-f]{6}$')
);
-- A host names one tenant, whoever asks first.
CREATE TABLE hosts (
  host text PRIMARY KEY,
  id text NOT NULL REFERENCES tenants (id) ON DELETE CASCADE
);
CREATE INDEX hosts_by_tenant ON hosts (id);
