-- Of sessions that watch a channel: what campaigns may ask of them, and what its breaks were filled with, by the break.
ALTER TABLE decisions ADD COLUMN audience jsonb;
ALTER TABLE decisions ADD COLUMN fills jsonb NOT NULL DEFAULT '{}';
