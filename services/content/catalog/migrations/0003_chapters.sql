-- Where the parts of a film begin, as JSON: [{"startS": 60, "title": "The second hour"}].
ALTER TABLE titles ADD COLUMN chapters text NOT NULL DEFAULT '[]';
