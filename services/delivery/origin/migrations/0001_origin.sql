-- Whose a title is: edges ask by address, and addresses name no tenant.
CREATE TABLE contents (
  content_id text PRIMARY KEY,
  owner text NOT NULL
);

-- What edges are to forget, in the order of commits (see store.ts).
CREATE TABLE purges (
  serial bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  content_id text NOT NULL,
  deleted boolean NOT NULL,
  purged_at_ms bigint NOT NULL
);
