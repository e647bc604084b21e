-- What titles look like: whole numbers of 16 bits, the least byte first.
CREATE TABLE embeddings (
  tenant text NOT NULL,
  content_id text NOT NULL,
  -- The model and its version: only vectors of one maker can be compared.
  maker text NOT NULL,
  vector bytea NOT NULL,
  PRIMARY KEY (tenant, content_id)
);

-- Titles from before wait for weights like others that were taken in without any: taking weights in begins their step.
-- The owner sees no rows of a tenant either; the kernel forces row-level security again when the migrations are through.
ALTER TABLE titles NO FORCE ROW LEVEL SECURITY;
ALTER TABLE steps NO FORCE ROW LEVEL SECURITY;
INSERT INTO steps (tenant, content_id, name, state, model, version, confidence, at_ms, reason, message, value, attempt)
SELECT tenant, content_id, 'embedding', 'skipped', '', '', 0, begun_at_ms, 'no_model', 'nothing here could look: ./marquee model pull moderation', '', 1 FROM titles;
