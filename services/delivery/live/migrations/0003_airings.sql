-- What channels that are made of films show, in whole segments.
CREATE TABLE airings (
  tenant text NOT NULL,
  channel_id text NOT NULL,
  first_number bigint NOT NULL,
  last_number bigint NOT NULL CHECK (last_number >= first_number),
  content_id text NOT NULL,
  package_revision int NOT NULL,
  index_version int NOT NULL,
  title text NOT NULL,
  PRIMARY KEY (tenant, channel_id, first_number)
);
