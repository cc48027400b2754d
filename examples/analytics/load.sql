-- The event stream in plain PostgreSQL. The file is what GET /v1/events sent:
--
--   curl -fsS -H "Authorization: Bearer $TOKEN" "$WAYBILL/v1/events?as=latest" -o events.ndjson
--   psql -f load.sql -c "\copy arrived from events.ndjson with (format csv, delimiter E'\x01', quote E'\x02')" -f take.sql -f questions.sql
--
-- JSON holds neither of the two characters, so that each line is one value.
-- Loading again, or a longer file, does no harm: a record has one place.

CREATE TABLE IF NOT EXISTS arrived (record jsonb);

CREATE TABLE IF NOT EXISTS events (
    partition integer     NOT NULL,
    sequence  bigint      NOT NULL,
    time      timestamptz NOT NULL,
    type      text        NOT NULL, -- without its version: as=latest made it the newest
    subject   text        NOT NULL,
    data      jsonb       NOT NULL,
    PRIMARY KEY (partition, sequence)
);

-- Each change of a document in a batch, from which status to which.
CREATE OR REPLACE VIEW changes AS
SELECT partition, sequence, time, type, subject AS document,
    data->>'batch' AS batch, data->>'statusBefore' AS before, data->>'statusAfter' AS after, data
FROM events WHERE type LIKE 'waybill.document.%';

-- Where the stream has a gap: no row, when everything is here.
CREATE OR REPLACE VIEW gaps AS
SELECT partition, max(sequence) AS highest, count(*) AS present
FROM events GROUP BY partition HAVING max(sequence) <> count(*);

-- Each document of each batch, as its last change left it.
CREATE OR REPLACE VIEW documents AS
SELECT DISTINCT ON (batch, document) batch, document, after AS status, time, data
FROM changes ORDER BY batch, document, sequence DESC;
