-- Incidents: kind, severity, how long until somebody was there
SELECT incident_id,
       max(type) AS type,
       max(severity) AS severity,
       max(road) AS road,
       max(marker) AS marker,
       min(reported_at) AS reported,
       round(datediff(second, min(reported_at), min(on_scene_at)) / 60.0, 1) AS minutes_to_scene,
       max(lanes_closed) AS lanes_closed
FROM smartcity.emergency_data
GROUP BY incident_id
ORDER BY reported DESC
