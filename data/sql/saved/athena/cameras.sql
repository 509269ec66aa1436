-- Cameras: flow, occupancy and speed of each
SELECT camera_id,
       max(road) AS road,
       max(marker) AS marker,
       count(*) AS pictures,
       round(avg(intensity), 0) AS vehicles_an_hour,
       round(avg(occupancy), 3) AS occupancy,
       round(avg(average_vehicle_speed), 1) AS mean_speed
FROM smartcity_raw.traffic_data
GROUP BY camera_id
ORDER BY mean_speed
