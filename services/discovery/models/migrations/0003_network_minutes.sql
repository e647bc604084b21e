-- What routing is learned from: how each delivery network did in each region, minute by minute, for a week.
CREATE TABLE network_minutes (
  tenant text NOT NULL,
  network_id text NOT NULL,
  region text NOT NULL,
  minute integer NOT NULL,
  beats integer NOT NULL CHECK (beats >= 0),
  throughput_kbps double precision NOT NULL,
  trouble_ratio double precision NOT NULL,
  score_p25 double precision NOT NULL,
  latency_ms integer NOT NULL,
  is_up boolean NOT NULL,
  PRIMARY KEY (tenant, network_id, region, minute)
);
CREATE INDEX network_minutes_by_minute ON network_minutes (tenant, minute);
