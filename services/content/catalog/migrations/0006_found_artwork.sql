-- The best frames that were found in the film, beside the pictures that its encoder made.
ALTER TABLE titles ADD COLUMN found_artwork text NOT NULL DEFAULT '[]';
