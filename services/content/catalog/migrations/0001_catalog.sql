CREATE TABLE titles (
  tenant text NOT NULL,
  id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('film', 'series', 'episode', 'trailer')),
  title text NOT NULL,
  synopsis text NOT NULL DEFAULT '',
  tagline text NOT NULL DEFAULT '',
  year integer NOT NULL DEFAULT 0,
  age_rating integer NOT NULL DEFAULT 0 CHECK (age_rating IN (0, 6, 12, 16, 18)),
  genres text[] NOT NULL DEFAULT '{}',
  credits text NOT NULL DEFAULT '[]',
  duration_s double precision NOT NULL DEFAULT 0,
  audio_languages text[] NOT NULL DEFAULT '{}',
  subtitle_languages text[] NOT NULL DEFAULT '{}',
  -- The chosen picture and all candidates, as JSON.
  backdrop text,
  artwork text NOT NULL DEFAULT '[]',
  parent_id text NOT NULL DEFAULT '',
  season_number integer NOT NULL DEFAULT 0,
  episode_number integer NOT NULL DEFAULT 0,
  tier_min text NOT NULL DEFAULT 'basic' CHECK (tier_min IN ('basic', 'premium')),
  markets text[] NOT NULL DEFAULT '{}',
  available_from_ms bigint NOT NULL DEFAULT 0,
  available_until_ms bigint NOT NULL DEFAULT 0,
  publication text NOT NULL DEFAULT 'draft' CHECK (publication IN ('draft', 'published', 'unpublished')),
  state text NOT NULL DEFAULT 'processing' CHECK (state IN ('processing', 'playable', 'failed')),
  failure text NOT NULL DEFAULT '',
  complete boolean NOT NULL DEFAULT false,
  package_revision integer NOT NULL DEFAULT 0,
  index_version integer NOT NULL DEFAULT 0,
  -- What was last announced: whether people can watch it.
  available boolean NOT NULL DEFAULT false,
  added_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX titles_newest ON titles (tenant, added_at_ms DESC, id);
CREATE INDEX titles_children ON titles (tenant, parent_id, season_number, episode_number) WHERE parent_id <> '';
CREATE INDEX titles_genres ON titles USING gin (genres);
CREATE INDEX titles_windows ON titles (tenant) WHERE available_from_ms > 0 OR available_until_ms > 0;
