-- What was learned of lists that were shown and chosen from; absent where that is no better than the order without it.
CREATE TABLE orders (
  tenant text NOT NULL,
  learned_at_ms bigint NOT NULL,
  learned jsonb NOT NULL,
  PRIMARY KEY (tenant)
);
