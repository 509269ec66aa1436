-- Weather of each hour beside the speed of traffic
SELECT w.hour, w.weather, w.rain_mm_h, w.visibility_m, v.mean_speed
FROM (SELECT date_trunc('hour', event_ts) AS hour,
             max(weather_condition) AS weather,
             round(avg(precipitation), 2) AS rain_mm_h,
             round(avg(visibility), 0) AS visibility_m
      FROM smartcity_raw.weather_data
      GROUP BY date_trunc('hour', event_ts)) AS w
JOIN (SELECT date_trunc('hour', event_ts) AS hour, round(avg(speed), 1) AS mean_speed
      FROM smartcity_raw.vehicle_data
      GROUP BY date_trunc('hour', event_ts)) AS v ON v.hour = w.hour
ORDER BY w.hour
