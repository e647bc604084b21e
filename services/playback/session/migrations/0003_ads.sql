-- What was decided about ads when the session began, as JSON; empty where there are none.
ALTER TABLE sessions ADD COLUMN ads text NOT NULL DEFAULT '';
