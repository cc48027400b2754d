-- 1. How does each batch stand? It is the batch overview's count.
SELECT batch,
    count(*) FILTER (WHERE status = 'migrated')  AS migrated,
    count(*) FILTER (WHERE status = 'failed')    AS failed,
    count(*) FILTER (WHERE status = 'pending')   AS pending,
    count(*) FILTER (WHERE status = 'excepted')  AS excepted,
    count(*) FILTER (WHERE status = 'cancelled') AS cancelled
FROM documents GROUP BY batch ORDER BY batch;

-- 2. What did documents fail for, and how many of those have arrived since?
SELECT f.batch, f.category, count(DISTINCT f.document) AS failed_once,
    count(DISTINCT f.document) FILTER (WHERE d.status = 'migrated') AS arrived_since,
    count(DISTINCT f.document) FILTER (WHERE d.status = 'failed' AND f.latest) AS still_failed
FROM (SELECT batch, document, data->'failure'->>'category' AS category,
        sequence = max(sequence) OVER (PARTITION BY batch, document) AS latest
      FROM changes WHERE type = 'waybill.document.failed') AS f
JOIN documents d USING (batch, document)
GROUP BY f.batch, f.category ORDER BY f.batch, f.category;

-- 3. How long did documents take, and how much was moved, by organisation?
SELECT m.batch, m.data->>'organization' AS organization, count(*) AS migrations,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM m.time - d.time))::numeric, 3) AS median_seconds,
    round(percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM m.time - d.time))::numeric, 3) AS p99_seconds,
    sum((m.data->>'bytesStored')::bigint) AS bytes_stored
FROM changes m
JOIN changes d ON d.batch = m.batch AND d.document = m.document AND d.type = 'waybill.document.discovered'
WHERE m.type = 'waybill.document.migrated'
GROUP BY m.batch, organization ORDER BY m.batch, organization;
