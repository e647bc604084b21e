-- People who are gone and of whom something may be left. The address is emptied as soon as mail to it is removed, and the row goes with the last
-- trace: what came late is looked for by the id.
CREATE TABLE erasures (
  tenant text NOT NULL,
  user_id text NOT NULL,
  email text NOT NULL,
  asked_at_ms bigint NOT NULL,
  step text NOT NULL CHECK (step IN ('asked', 'erased', 'repeated')),
  PRIMARY KEY (tenant, user_id)
);
