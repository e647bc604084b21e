CREATE TABLE reminders (
  tenant text NOT NULL,
  id text NOT NULL,
  user_id text NOT NULL,
  profile_id text NOT NULL,
  channel_id text NOT NULL,
  channel_name text NOT NULL,
  programme_id text NOT NULL,
  titles jsonb NOT NULL,
  start_ms bigint NOT NULL,
  stop_ms bigint NOT NULL,
  lead_s int NOT NULL,
  due_at_ms bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'triggered', 'late')),
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, profile_id, programme_id)
);
CREATE INDEX reminders_due ON reminders (tenant, due_at_ms) WHERE state = 'waiting';
CREATE INDEX reminders_late ON reminders (tenant, due_at_ms) WHERE state = 'late';
CREATE INDEX reminders_programme ON reminders (tenant, programme_id);
CREATE INDEX reminders_profile ON reminders (tenant, profile_id, start_ms);
CREATE INDEX reminders_user ON reminders (tenant, user_id);
CREATE INDEX reminders_over ON reminders (tenant, stop_ms);
