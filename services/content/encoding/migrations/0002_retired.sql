-- The last package revision of a title that was deleted. Its address stays in caches, so the title must not use it again should it come back.
CREATE TABLE retired (
  tenant text NOT NULL,
  content_id text NOT NULL,
  revision integer NOT NULL,
  retired_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, content_id)
);
