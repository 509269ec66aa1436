-- Events of each minute, to be plotted
SELECT date_trunc('minute', event_ts) AS minute, count(*) AS events, round(avg(speed), 1) AS mean_speed
FROM smartcity_raw.vehicle_data
GROUP BY date_trunc('minute', event_ts)
ORDER BY minute
