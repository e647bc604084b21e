-- Under which name the secrets of its inputs are kept; empty where it has none.
ALTER TABLE channels ADD COLUMN secret_name text NOT NULL DEFAULT '';
