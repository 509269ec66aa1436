-- What has landed: rows and offsets of each day and Kafka partition
SELECT dt, "_kafka_partition", count(*) AS events, min("_kafka_offset") AS from_offset, max("_kafka_offset") AS to_offset,
       count(*) - count(DISTINCT id) AS twice
FROM smartcity_raw.vehicle_data
GROUP BY dt, "_kafka_partition"
ORDER BY dt, "_kafka_partition"
