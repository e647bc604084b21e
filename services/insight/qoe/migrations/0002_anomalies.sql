-- What is unusual now in how people fare: by segment and measure.
CREATE TABLE anomalies (
  tenant text NOT NULL,
  dimension text NOT NULL,
  value text NOT NULL,
  measure text NOT NULL,
  opened_at_ms bigint NOT NULL,
  sessions integer NOT NULL,
  figure double precision NOT NULL,
  usual double precision NOT NULL,
  ends_at double precision NOT NULL,
  is_partial boolean NOT NULL,
  PRIMARY KEY (tenant, dimension, value, measure)
);
