-- What seals the cursors of the API's lists, the same for all processes: two
-- UUIDs hold 244 random bits.
CREATE TABLE api_key (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    key      bytea   NOT NULL DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
);
INSERT INTO api_key DEFAULT VALUES;

-- Requests that clients named by an Idempotency-Key. The command's id is of
-- the row and not of the key, so that a key may be used anew when its time is
-- over.
CREATE TABLE repeatable_requests (
    name    bytea       PRIMARY KEY, -- SHA-256 of subject, method, path and key
    digest  bytea       NOT NULL,    -- SHA-256 of what was asked for
    command uuid        NOT NULL DEFAULT gen_random_uuid(),
    at      timestamptz NOT NULL DEFAULT now(),
    answer  bytea                    -- NULL: not answered yet
);
CREATE INDEX repeatable_requests_at ON repeatable_requests (at);

-- A token is issued once for a command.
ALTER TABLE tokens ADD COLUMN command uuid UNIQUE;
