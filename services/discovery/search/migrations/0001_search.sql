-- A copy of what the catalogue says of the titles that can be found, from which each process fills its index. It holds nothing of its own:
-- ./marquee rebuild search makes it anew.
CREATE TABLE entries (
  tenant text NOT NULL,
  content_id text NOT NULL,
  -- The order in which entries changed, without gaps that could be filled later: whoever has seen one has seen all before it.
  revision bigint NOT NULL,
  -- What is searched, as JSON; null where the title cannot be found any more.
  entry text,
  PRIMARY KEY (tenant, content_id)
);
CREATE INDEX entries_changed ON entries (tenant, revision);

-- The last revision of each tenant. Whoever writes entries holds this row until the commit, which makes the order of revisions that of commits.
CREATE TABLE heads (
  tenant text NOT NULL PRIMARY KEY,
  -- How often the entries were made anew; 0 until they were for the first time.
  generation bigint NOT NULL DEFAULT 0,
  revision bigint NOT NULL DEFAULT 0
);
