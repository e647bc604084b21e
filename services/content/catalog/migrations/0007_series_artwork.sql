-- Series are shown by the frames that were found in their first episode that can be watched. New ones take them when something of an episode changes.
-- The owner sees no rows of a tenant either; the kernel forces row-level security again when the migrations are through.
ALTER TABLE titles NO FORCE ROW LEVEL SECURITY;
UPDATE titles AS series SET found_artwork = coalesce((
  SELECT found_artwork FROM titles AS episode
   WHERE episode.tenant = series.tenant AND episode.parent_id = series.id AND episode.kind = 'episode'
     AND episode.available AND episode.age_rating <= series.age_rating
   ORDER BY season_number, episode_number LIMIT 1), '[]')
 WHERE kind = 'series';
