-- Operational tables of webhooks: no replay touches them, and they are not
-- views. What was registered stands in the journal.

-- How far each webhook is in the journal, by partition.
CREATE TABLE webhook_positions (
    webhook  text        PRIMARY KEY,
    position jsonb       NOT NULL,
    placed   bigint      NOT NULL DEFAULT 0,           -- the place of its last delivery
    due      timestamptz NOT NULL DEFAULT '-infinity'  -- nothing is sent to it before
);

-- A lane has a row while something of it is pending; whoever sends leases it.
CREATE TABLE webhook_lanes (
    webhook text        NOT NULL,
    lane    text        NOT NULL,
    due     timestamptz NOT NULL,
    lease   text        NOT NULL DEFAULT '',
    until   timestamptz NOT NULL DEFAULT '-infinity', -- of the lease
    PRIMARY KEY (webhook, lane)
) WITH (fillfactor = 70);
CREATE INDEX webhook_lanes_due ON webhook_lanes (due);
CREATE INDEX webhook_lanes_until ON webhook_lanes (webhook, until);

-- What is to be sent, and the log of what was.
CREATE TABLE webhook_deliveries (
    webhook       text     NOT NULL,
    partition     smallint NOT NULL,
    "offset"      bigint   NOT NULL,
    place         bigint   NOT NULL, -- the order in which those of a lane are sent
    lane          text     NOT NULL,
    event_id      uuid     NOT NULL,
    type          text     NOT NULL,
    placed_at     timestamptz NOT NULL,
    status        text     NOT NULL DEFAULT 'pending',
    attempts      integer  NOT NULL DEFAULT 0,
    first_attempt timestamptz, -- of the present series
    last_attempt  timestamptz,
    next_attempt  timestamptz,
    ended_at      timestamptz,
    http_status   integer  NOT NULL DEFAULT 0,
    took_ms       bigint   NOT NULL DEFAULT 0,
    error         text     NOT NULL DEFAULT '',
    PRIMARY KEY (webhook, partition, "offset")
) WITH (fillfactor = 70);
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook, lane, place) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (webhook, place);
CREATE INDEX webhook_deliveries_status ON webhook_deliveries (webhook, status, place);
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at);
