-- Which types of events the journal holds, with where each was written first:
-- a build that cannot read one of them refuses to start. The append that
-- brings a new type records it in its own transaction.
CREATE TABLE journal_types (
    type      text     PRIMARY KEY,
    partition smallint NOT NULL,
    "offset"  bigint   NOT NULL
);

CREATE TRIGGER journal_types_append_only BEFORE UPDATE OR DELETE ON journal_types
    FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse_change();
CREATE TRIGGER journal_types_no_truncate BEFORE TRUNCATE ON journal_types
    FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse_change();

-- What is in the journal already. The type stands within the first 512 bytes
-- of a record, behind members of bounded length that no caller can choose;
-- 'escape' makes text of bytes that may end amid a character. Builds without
-- this table may go on writing while it is made: what they write, every later
-- build reads.
INSERT INTO journal_types (type, partition, "offset")
SELECT DISTINCT ON (type) type, partition, first
FROM (SELECT substring(encode(substring(record FROM 1 FOR 512), 'escape') FROM '"type":"([^"]+)"') AS type, partition, min("offset") AS first
      FROM journal GROUP BY 1, 2) AS found
WHERE type IS NOT NULL
ORDER BY type, partition;
