-- Queries that are kept: what they scanned and cost
SELECT id, datetime(at_ms / 1000, 'unixepoch') AS at, engine, place, rows, scanned AS scanned_bytes, cost AS usd,
       round(took_us / 1e6, 2) AS seconds, substr(sql, 1, 80) AS sql
FROM results.result
ORDER BY id DESC
