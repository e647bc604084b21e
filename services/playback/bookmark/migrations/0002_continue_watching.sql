-- The read model behind "Continue watching": what is unfinished, ready in its order. It holds nothing of its own: ./marquee rebuild bookmark
-- makes it anew.
CREATE TABLE continue_watching (
  tenant text NOT NULL,
  profile_id text NOT NULL,
  content_id text NOT NULL,
  user_id text NOT NULL,
  position_s double precision NOT NULL,
  duration_s double precision NOT NULL,
  updated_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, profile_id, content_id),
  -- Whoever is forgotten is forgotten here at once, whatever event is still on its way.
  FOREIGN KEY (tenant, profile_id, content_id) REFERENCES bookmarks ON DELETE CASCADE
);
CREATE INDEX continue_watching_newest ON continue_watching (tenant, profile_id, updated_at_ms DESC);

-- The owner sees no rows of a tenant either; the kernel forces row-level security again when the migrations are through.
ALTER TABLE bookmarks NO FORCE ROW LEVEL SECURITY;
INSERT INTO continue_watching (tenant, profile_id, content_id, user_id, position_s, duration_s, updated_at_ms)
SELECT tenant, profile_id, content_id, user_id, position_s, duration_s, updated_at_ms FROM bookmarks WHERE NOT finished AND NOT removed;

-- A heartbeat changed this index with every row, for a reader who does not come here any more.
DROP INDEX bookmarks_unfinished;
