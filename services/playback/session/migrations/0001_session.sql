CREATE TABLE sessions (
  tenant text NOT NULL,
  session_id text NOT NULL,
  user_id text NOT NULL,
  profile_id text NOT NULL,
  content_id text NOT NULL,
  device_id text NOT NULL,
  device_type text NOT NULL,
  device_name text NOT NULL,
  package_revision integer NOT NULL,
  path_prefix text NOT NULL,
  networks text NOT NULL,
  streams_max integer NOT NULL,
  started_at_ms bigint NOT NULL,
  last_beat_at_ms bigint NOT NULL,
  sequence integer NOT NULL DEFAULT 0,
  position_s double precision NOT NULL DEFAULT -1,
  duration_s double precision NOT NULL DEFAULT 0,
  -- active, stopped (somebody said so) or expired (it fell silent and may come back within the grace).
  state text NOT NULL CHECK (state IN ('active', 'stopped', 'expired')),
  ended_at_ms bigint,
  PRIMARY KEY (tenant, session_id)
);
CREATE INDEX sessions_of_user ON sessions (tenant, user_id) WHERE state = 'active';
CREATE INDEX sessions_silent ON sessions (tenant, last_beat_at_ms) WHERE state = 'active';
CREATE INDEX sessions_old ON sessions (tenant, ended_at_ms) WHERE state <> 'active';
