-- The read model behind search: the words of a title, made when it changes and not when somebody asks. It holds nothing of its own:
-- ./marquee rebuild catalog makes it anew. There is no GIN index, because row-level security keeps the operator @@ from using one.
CREATE TABLE search_documents (
  tenant text NOT NULL,
  id text NOT NULL,
  names tsvector NOT NULL,
  words tsvector NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, id) REFERENCES titles ON DELETE CASCADE
);

-- The owner sees no rows of a tenant either; the kernel forces row-level security again when the migrations are through.
ALTER TABLE titles NO FORCE ROW LEVEL SECURITY;
INSERT INTO search_documents (tenant, id, names, words)
SELECT tenant, id,
  to_tsvector('simple', regexp_replace(normalize(title, NFKD), '[\u0300-\u036f]', '', 'g')),
  to_tsvector('simple', regexp_replace(normalize(title || ' ' || array_to_string(genres, ' ') || ' '
    || (SELECT coalesce(string_agg((credit ->> 'name') || ' ' || (credit ->> 'role'), ' '), '') FROM json_array_elements(credits::json) AS credit)
    || ' ' || synopsis, NFKD), '[\u0300-\u036f]', '', 'g'))
FROM titles WHERE kind IN ('film', 'series');
