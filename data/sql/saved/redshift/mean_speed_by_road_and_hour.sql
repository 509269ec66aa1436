-- Mean speed by road and hour
SELECT road,
       date_trunc('hour', event_ts) AS hour,
       count(*) AS readings,
       count(DISTINCT device_id) AS vehicles,
       round(avg(speed), 1) AS mean_speed
FROM smartcity.vehicle_data
WHERE road IS NOT NULL
GROUP BY road, date_trunc('hour', event_ts)
ORDER BY road, hour
