-- What the inputs of channels asked for by SCTE 35: breaks and marks, by when they are shown.
CREATE TABLE splices (
  tenant text NOT NULL,
  channel_id text NOT NULL,
  splice_id text NOT NULL,
  start_ms bigint NOT NULL,
  -- Once the end was heard of.
  end_ms bigint,
  planned_duration_s double precision,
  -- The sections as they came, in hexadecimal.
  out_hex text,
  in_hex text,
  cmd_hex text,
  PRIMARY KEY (tenant, channel_id, splice_id)
);
