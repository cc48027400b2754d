-- How fast each process that works reads each source now. It is not a view: no
-- event says it, and what a process does not renew is over.
CREATE TABLE source_paces (
    source      text        NOT NULL,
    process     text        NOT NULL,
    concurrency integer     NOT NULL, -- requests at once that it makes at most
    requests    integer     NOT NULL, -- under way
    waiting     integer     NOT NULL, -- for their turn
    rest_until  timestamptz,          -- the source gives nothing before
    rest        jsonb,                -- the failure that says why
    seen_at     timestamptz NOT NULL,
    PRIMARY KEY (source, process)
) WITH (fillfactor = 50);
