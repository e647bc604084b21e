-- Licences are judged by the same market as the start.
ALTER TABLE sessions ADD COLUMN market text NOT NULL DEFAULT '';
