-- From smartcity_raw to smartcity_curated, one topic at a time: each event once, with what is asked for most.
--
-- One statement of Athena's dialect. It runs as it is as a Glue job of SQL and as an Athena query; whoever runs it
-- fills in:
--   ${topic}     the table, as vehicle_data
--   ${columns}   those of the curated table in order, of r, computed ones included; made from the field tables
--   ${days}      the days to look at, as '2026-01-12', '2026-01-13'
--
-- An event is known by its id, or, without one, by where in Kafka it was. Of doubles (a producer that sent again) the
-- first counts. What is in the curated table already is not added again, so running it twice adds nothing.
INSERT INTO smartcity_curated.${topic}
SELECT ${columns}, r.dt
FROM (
    SELECT raw.*,
           coalesce(raw.id, concat(coalesce(raw."_kafka_cluster", ''), '/', CAST(raw."_kafka_partition" AS varchar), '/',
                                   CAST(raw."_kafka_offset" AS varchar))) AS event_key,
           row_number() OVER (
               PARTITION BY raw.dt,
                            coalesce(raw.id, concat(coalesce(raw."_kafka_cluster", ''), '/',
                                                    CAST(raw."_kafka_partition" AS varchar), '/',
                                                    CAST(raw."_kafka_offset" AS varchar)))
               ORDER BY raw."_kafka_timestamp", raw."_kafka_partition", raw."_kafka_offset") AS nth
    FROM smartcity_raw.${topic} AS raw
    WHERE raw.dt IN (${days})
) AS r
LEFT JOIN (
    SELECT DISTINCT done.dt,
           coalesce(done.id, concat(coalesce(done."_kafka_cluster", ''), '/',
                                    CAST(done."_kafka_partition" AS varchar), '/',
                                    CAST(done."_kafka_offset" AS varchar))) AS event_key
    FROM smartcity_curated.${topic} AS done
    WHERE done.dt IN (${days})
) AS c ON c.dt = r.dt AND c.event_key = r.event_key
WHERE r.nth = 1 AND c.event_key IS NULL
