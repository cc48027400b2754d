-- The journal: append-only, gapless within a partition, in commit order.

CREATE TABLE journal (
    partition smallint NOT NULL,
    "offset"  bigint   NOT NULL,
    stream    text     NOT NULL,
    version   integer  NOT NULL,
    event_id  uuid     NOT NULL,
    record    bytea    NOT NULL,
    CONSTRAINT journal_pkey PRIMARY KEY (partition, "offset"),
    CONSTRAINT journal_stream_version UNIQUE (stream, version),
    CONSTRAINT journal_event_id UNIQUE (event_id)
);

-- A locked head is what makes offsets gapless and commit-ordered: whoever
-- appends to a partition holds its head until the commit.
CREATE TABLE journal_heads (
    partition smallint    PRIMARY KEY,
    head      bigint      NOT NULL DEFAULT 0,
    last_time timestamptz NOT NULL DEFAULT '-infinity'
);

-- One row: who this journal is, on which database cluster it was last seen to
-- be whole, and whether it takes appends.
CREATE TABLE journal_identity (
    only_row          boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    installation      uuid    NOT NULL DEFAULT gen_random_uuid(),
    partitions        integer NOT NULL,
    system_identifier bigint  NOT NULL,
    timeline          integer NOT NULL,
    closed            boolean NOT NULL DEFAULT false,
    closed_reason     text    NOT NULL DEFAULT ''
);

CREATE FUNCTION journal_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse_change();
CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse_change();
