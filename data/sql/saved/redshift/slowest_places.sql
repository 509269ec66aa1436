-- Where it is slow: stretches of 5 km by mean speed over the limit
SELECT road,
       carriageway,
       CAST(floor(chainage / 5) * 5 AS integer) AS from_km,
       count(*) AS readings,
       round(avg(speed), 1) AS mean_speed,
       round(100 * avg(speed / nullif(speed_limit, 0)), 0) AS percent_of_limit
FROM smartcity.vehicle_data
WHERE chainage IS NOT NULL AND status <> 'arrived'
GROUP BY road, carriageway, CAST(floor(chainage / 5) * 5 AS integer)
HAVING count(*) >= 10
ORDER BY percent_of_limit
LIMIT 50
