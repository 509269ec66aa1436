-- Throughput as it was kept, all topics together
SELECT datetime(at, 'unixepoch') AS second, round(sum(events / seconds), 1) AS events_per_s,
       round(sum(bytes / seconds), 0) AS bytes_per_s
FROM cache.throughput
GROUP BY at
ORDER BY at DESC
LIMIT 2000
