-- Raw against curated: events of each day
SELECT r.dt, r.events AS raw_events, c.events AS curated_events, r.events - coalesce(c.events, 0) AS still_missing
FROM (SELECT dt, count(DISTINCT id) AS events FROM smartcity_raw.vehicle_data GROUP BY dt) AS r
LEFT JOIN (SELECT dt, count(*) AS events FROM smartcity_curated.vehicle_data GROUP BY dt) AS c ON c.dt = r.dt
ORDER BY r.dt
