-- What was loaded: rows and offsets of each day and Kafka partition
SELECT date_trunc('day', event_ts) AS day, "_kafka_partition", count(*) AS events, min("_kafka_offset") AS from_offset,
       max("_kafka_offset") AS to_offset, count(*) - count(DISTINCT id) AS twice
FROM smartcity.vehicle_data
GROUP BY date_trunc('day', event_ts), "_kafka_partition"
ORDER BY day, "_kafka_partition"
