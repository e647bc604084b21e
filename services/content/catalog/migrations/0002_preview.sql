-- The silent clip behind a title's page; empty where there is none.
ALTER TABLE titles ADD COLUMN preview_key text NOT NULL DEFAULT '';
