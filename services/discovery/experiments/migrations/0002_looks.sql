-- What was known of each metric when somebody counted: one row for each half hour, for those who want to see how an effect came to be.
CREATE TABLE looks (
  tenant text NOT NULL,
  experiment text NOT NULL,
  metric text NOT NULL,
  slot bigint NOT NULL,
  at_ms bigint NOT NULL,
  counted bigint NOT NULL,
  effect double precision NOT NULL,
  low double precision NOT NULL,
  high double precision NOT NULL,
  PRIMARY KEY (tenant, experiment, metric, slot)
);
