-- Whether viewers see the subtitles that were found: a person accepted them, or nobody has read them.
ALTER TABLE titles ADD COLUMN subtitles_shown text NOT NULL DEFAULT '' CHECK (subtitles_shown IN ('', 'accepted', 'automatic'));
