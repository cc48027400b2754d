-- What a token is restricted to; none: it is not.
ALTER TABLE tokens ADD COLUMN organizations text[] NOT NULL DEFAULT '{}';
