-- Operational tables: no replay touches them, and they are not views.

-- How far the relay got: the record at a broker offset is the journal's.
CREATE TABLE relay_marks (
    partition      smallint PRIMARY KEY,
    broker_offset  bigint NOT NULL,
    journal_offset bigint NOT NULL
);

-- How far a policy got in the control partition. Rows of policies that there
-- were are left, as Kafka's groups are: nothing reads them. One is "expand", which
-- did what workers do now with bulk operations.
CREATE TABLE policy_checkpoints (
    policy   text   PRIMARY KEY,
    "offset" bigint NOT NULL
);

-- Who works on what, until when. Keyed by work id (stream, version).
CREATE TABLE leases (
    stream  text        NOT NULL,
    version integer     NOT NULL,
    holder  text        NOT NULL,
    until   timestamptz NOT NULL,
    PRIMARY KEY (stream, version)
) WITH (fillfactor = 70);
CREATE INDEX leases_until ON leases (until);

-- Bearer tokens, by the SHA-256 of the secret.
CREATE TABLE tokens (
    digest     bytea       PRIMARY KEY,
    subject    text        NOT NULL,
    roles      text[]      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);

-- Client addresses stay here, joined to events by request id, so that they
-- can be erased without touching history.
CREATE TABLE requests (
    request_id text        PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    subject    text        NOT NULL,
    address    text        NOT NULL,
    method     text        NOT NULL,
    route      text        NOT NULL
);
CREATE INDEX requests_at ON requests (at);
