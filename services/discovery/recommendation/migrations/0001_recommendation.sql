-- The catalogue as far as ranking needs it; catalog is where it is true.
CREATE TABLE titles (
  tenant text NOT NULL,
  content_id text NOT NULL,
  -- Of an episode: its series, which is what is recommended in its place.
  parent_id text NOT NULL,
  kind text NOT NULL,
  genres text[] NOT NULL,
  -- What it is made of, such as 'genre:Drama', 'person:Ada Quagmire' and 'word:robot'.
  features text[] NOT NULL,
  age_rating integer NOT NULL,
  is_available boolean NOT NULL,
  added_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, content_id)
);

-- How far a profile got in a title: 0 begun, 1 stayed with, 2 finished. It only grows.
CREATE TABLE interactions (
  tenant text NOT NULL,
  profile_id text NOT NULL,
  content_id text NOT NULL,
  user_id text NOT NULL,
  stage smallint NOT NULL CHECK (stage BETWEEN 0 AND 2),
  last_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, profile_id, content_id)
);
CREATE INDEX interactions_by_user ON interactions (tenant, user_id);
CREATE INDEX interactions_by_title ON interactions (tenant, content_id);

CREATE TABLE opinions (
  tenant text NOT NULL,
  profile_id text NOT NULL,
  content_id text NOT NULL,
  user_id text NOT NULL,
  opinion text NOT NULL CHECK (opinion IN ('up', 'down', 'not_interested')),
  at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, profile_id, content_id)
);
CREATE INDEX opinions_by_user ON opinions (tenant, user_id);

-- Profiles that want no recommendations of their own; all others do.
CREATE TABLE unpersonalised (
  tenant text NOT NULL,
  profile_id text NOT NULL,
  user_id text NOT NULL,
  PRIMARY KEY (tenant, profile_id)
);
CREATE INDEX unpersonalised_by_user ON unpersonalised (tenant, user_id);

-- How often a profile was shown a title since it last chose it.
CREATE TABLE exposures (
  tenant text NOT NULL,
  profile_id text NOT NULL,
  content_id text NOT NULL,
  user_id text NOT NULL,
  shown integer NOT NULL,
  last_shown_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, profile_id, content_id)
);
CREATE INDEX exposures_by_user ON exposures (tenant, user_id);
CREATE INDEX exposures_oldest ON exposures (tenant, last_shown_at_ms);

-- What was trained last, and how good it is.
CREATE TABLE models (
  tenant text NOT NULL,
  trained_at_ms bigint NOT NULL,
  report jsonb NOT NULL,
  PRIMARY KEY (tenant)
);
