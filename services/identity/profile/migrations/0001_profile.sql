CREATE TABLE profiles (
  tenant text NOT NULL,
  id text NOT NULL,
  user_id text NOT NULL,
  name text NOT NULL,
  is_kids boolean NOT NULL,
  age_rating_max int NOT NULL CHECK (age_rating_max IN (0, 6, 12, 16, 18)),
  language text NOT NULL,
  avatar_shape int NOT NULL,
  avatar_color text NOT NULL,
  pin_hash text,
  created_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant, id),
  CHECK (NOT is_kids OR age_rating_max <= 12)
);
CREATE INDEX profiles_by_user ON profiles (tenant, user_id, created_at_ms, id);
