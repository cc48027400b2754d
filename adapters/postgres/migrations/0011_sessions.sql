-- Browsers that logged in. What a session's token is can be read by whoever has
-- the session's secret, and by nobody who has this table alone.
CREATE TABLE sessions (
    digest bytea       PRIMARY KEY, -- SHA-256 of the secret
    sealed bytea       NOT NULL,    -- the token, under a key that the secret gives
    until  timestamptz NOT NULL
);
CREATE INDEX sessions_until ON sessions (until);
