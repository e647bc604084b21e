-- Ads are encoded and packaged as films are. Nobody publishes them, so that no viewer finds them.
ALTER TABLE titles DROP CONSTRAINT titles_kind_check;
ALTER TABLE titles ADD CONSTRAINT titles_kind_check CHECK (kind IN ('film', 'series', 'episode', 'trailer', 'ad'));
