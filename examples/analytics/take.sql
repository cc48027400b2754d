-- What has arrived becomes events.
INSERT INTO events
SELECT (record->>'partition')::integer, (record->>'sequence')::bigint, (record->>'time')::timestamptz,
    regexp_replace(record->>'type', '\.v[0-9]+$', ''), record->>'subject', record->'data'
FROM arrived WHERE record IS NOT NULL
ON CONFLICT DO NOTHING;

TRUNCATE arrived;
