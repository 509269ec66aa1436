/*
 * The rows of the five field tables; included by city/schema.h, which makes an enum of each list, and by
 * schema.c, which makes the tables. Only here is a column written.
 *
 * X(ENUM, "name", member of struct event, required, decimals, "unit", words or NULL, "meaning")
 *
 * The type of a field and the size of a text follow from its member, so they cannot disagree with the struct.
 * Decimals are for doubles. Order is the order in JSON. Add at the end of a list: readers of old records and
 * tables know the columns by name, journeys and Parquet files keep their order.
 */
#ifndef SMARTCITY_CITY_FIELDS_H
#define SMARTCITY_CITY_FIELDS_H

#define FIELD_WORDS_DIRECTION "North|North-East|East|South-East|South|South-West|West|North-West"
#define FIELD_WORDS_RESPONDER "police|fire|ambulance|trafficOfficer|recovery"

/* The first rows of every kind. */
#define FIELDS_COMMON(X, P)                                                                                  \
    X(P##_ID, "id", id, false, 0, "", NULL, "UUID of this event")                                            \
    X(P##_DEVICE_ID, "deviceId", device_id, true, 0, "", NULL,                                               \
      "The device that reports; also the Kafka key")                                                         \
    X(P##_TIMESTAMP, "timestamp", timestamp, true, 0, "", NULL, "Simulated time of the observation, UTC")

#define FIELDS_VEHICLE(X)                                                                                    \
    FIELDS_COMMON(X, VEHICLE)                                                                                \
    X(VEHICLE_LOCATION, "location", vehicle.location, false, 6, "deg", NULL, "Position, WGS84")              \
    X(VEHICLE_SPEED, "speed", vehicle.speed, false, 1, "km/h", NULL, "Speed over ground")                    \
    X(VEHICLE_DIRECTION, "direction", vehicle.direction, false, 0, "", FIELD_WORDS_DIRECTION,                \
      "Heading as one of eight words")                                                                       \
    X(VEHICLE_MAKE, "make", vehicle.make, false, 0, "", NULL, "Maker")                                       \
    X(VEHICLE_MODEL, "model", vehicle.model, false, 0, "", NULL, "Model")                                    \
    X(VEHICLE_YEAR, "year", vehicle.year, false, 0, "", NULL, "Year of first registration")                  \
    X(VEHICLE_FUEL_TYPE, "fuelType", vehicle.fuel_type, false, 0, "",                                        \
      "Petrol|Diesel|Hybrid|Electric|Hydrogen|LPG", "What it runs on")                                       \
    X(VEHICLE_VEHICLE_TYPE, "vehicleType", vehicle.vehicle_type, false, 0, "", "car|van|lorry|bus",          \
      "Type, words of DATEX II")                                                                             \
    X(VEHICLE_CATEGORY, "category", vehicle.category, false, 0, "", "private|public|commercial", "Use")      \
    X(VEHICLE_HEADING, "heading", vehicle.heading, false, 1, "deg", NULL, "Clockwise from north")            \
    X(VEHICLE_ACCELERATION, "acceleration", vehicle.acceleration, false, 2, "m/s2", NULL,                    \
      "Along the road; negative when braking")                                                               \
    X(VEHICLE_ODOMETER, "odometer", vehicle.odometer, false, 1, "km", NULL, "Distance ever driven")          \
    X(VEHICLE_FUEL_LEVEL, "fuelLevel", vehicle.fuel_level, false, 1, "%", NULL,                              \
      "Fuel in the tank; null for battery vehicles")                                                         \
    X(VEHICLE_BATTERY_LEVEL, "batteryLevel", vehicle.battery_level, false, 1, "%", NULL,                     \
      "Charge of the battery; null for others")                                                              \
    X(VEHICLE_FUEL_RATE, "fuelRate", vehicle.fuel_rate, false, 1, "L/100 km", NULL,                          \
      "Consumption now; kWh/100 km for battery vehicles")                                                    \
    X(VEHICLE_ROUTE_ID, "routeId", vehicle.route_id, false, 0, "", NULL, "Route and direction, as m40-nb")   \
    X(VEHICLE_ROAD, "road", vehicle.road, false, 0, "", NULL, "Road number")                                 \
    X(VEHICLE_CARRIAGEWAY, "carriageway", vehicle.carriageway, false, 0, "", NULL,                           \
      "Letter of the marker posts: A away from London, B towards it")                                        \
    X(VEHICLE_CHAINAGE, "chainage", vehicle.chainage, false, 3, "km", NULL, "From the start of the route")   \
    X(VEHICLE_MARKER, "marker", vehicle.marker, false, 0, "", NULL, "Marker post, as M40 A 62/9")            \
    X(VEHICLE_LANE, "lane", vehicle.lane, false, 0, "", NULL, "Lane, 1 nearest the verge")                   \
    X(VEHICLE_LANES, "lanes", vehicle.lanes, false, 0, "", NULL, "Lanes of the carriageway here")            \
    X(VEHICLE_SPEED_LIMIT, "speedLimit", vehicle.speed_limit, false, 0, "km/h", NULL, "Limit in force here") \
    X(VEHICLE_TRIP_ID, "tripId", vehicle.trip_id, false, 0, "", NULL, "UUID of the trip")                    \
    X(VEHICLE_STATUS, "status", vehicle.status, false, 0, "", "moving|queueing|stopped|brokenDown|arrived",  \
      "What it is doing")                                                                                    \
    X(VEHICLE_ENGINE_WARNING, "engineWarning", vehicle.engine_warning, false, 0, "", NULL,                   \
      "The engine warning lamp is on")                                                                       \
    X(VEHICLE_FAULT_CODE, "faultCode", vehicle.fault_code, false, 0, "", NULL,                               \
      "OBD-II trouble code (SAE J2012) behind the lamp; null without one")

#define FIELDS_GPS(X)                                                                                        \
    FIELDS_COMMON(X, GPS)                                                                                    \
    X(GPS_SPEED, "speed", gps.speed, false, 1, "km/h", NULL, "Speed over ground, as measured")               \
    X(GPS_DIRECTION, "direction", gps.direction, false, 0, "", FIELD_WORDS_DIRECTION,                        \
      "Heading as one of eight words")                                                                       \
    X(GPS_VEHICLE_TYPE, "vehicleType", gps.vehicle_type, false, 0, "", "car|van|lorry|bus|private",          \
      "Type of the vehicle it is fitted to")                                                                 \
    X(GPS_LOCATION, "location", gps.location, false, 6, "deg", NULL,                                         \
      "Position as measured, WGS84; null without a fix")                                                     \
    X(GPS_ALTITUDE, "altitude", gps.altitude, false, 1, "m", NULL, "Above mean sea level")                   \
    X(GPS_HEADING, "heading", gps.heading, false, 1, "deg", NULL, "Course over ground, from north")          \
    X(GPS_FIX, "fix", gps.fix, false, 0, "", "none|2d|3d", "Kind of fix")                                    \
    X(GPS_SATELLITES, "satellites", gps.satellites, false, 0, "", NULL, "Satellites used")                   \
    X(GPS_HDOP, "hdop", gps.hdop, false, 2, "", NULL, "Horizontal dilution of precision")                    \
    X(GPS_ACCURACY, "accuracy", gps.accuracy, false, 1, "m", NULL, "Radius that holds 95 % of errors")

#define FIELDS_TRAFFIC(X)                                                                                    \
    FIELDS_COMMON(X, TRAFFIC)                                                                                \
    X(TRAFFIC_CAMERA_ID, "cameraId", traffic.camera_id, false, 0, "", NULL, "The camera")                    \
    X(TRAFFIC_LOCATION, "location", traffic.location, false, 6, "deg", NULL, "Where it stands, WGS84")       \
    X(TRAFFIC_ROAD, "road", traffic.road, false, 0, "", NULL, "Road number")                                 \
    X(TRAFFIC_CARRIAGEWAY, "carriageway", traffic.carriageway, false, 0, "", NULL,                           \
      "Letter of the marker posts of the carriageway it watches")                                            \
    X(TRAFFIC_MARKER, "marker", traffic.marker, false, 0, "", NULL, "Marker post, as M40 A 62/9")            \
    X(TRAFFIC_INTENSITY, "intensity", traffic.intensity, false, 0, "veh/h", NULL, "Flow past the camera")    \
    X(TRAFFIC_AVERAGE_VEHICLE_SPEED, "averageVehicleSpeed", traffic.average_vehicle_speed, false, 1, "km/h", \
      NULL, "Mean speed in sight")                                                                           \
    X(TRAFFIC_OCCUPANCY, "occupancy", traffic.occupancy, false, 3, "", NULL,                                 \
      "Share of the road that is covered by vehicles, 0 to 1")                                               \
    X(TRAFFIC_CONGESTED, "congested", traffic.congested, false, 0, "", NULL, "Traffic is dense and slow")    \
    X(TRAFFIC_VEHICLE_COUNTS, "vehicleCounts", traffic.vehicle_counts, false, 0, "", NULL,                   \
      "Vehicles in sight by class")                                                                          \
    X(TRAFFIC_CONTENT_TYPE, "contentType", traffic.content_type, false, 0, "", NULL,                         \
      "Media type of the picture")                                                                           \
    X(TRAFFIC_WIDTH, "width", traffic.width, false, 0, "px", NULL, "Width of the picture")                   \
    X(TRAFFIC_HEIGHT, "height", traffic.height, false, 0, "px", NULL, "Height of the picture")               \
    X(TRAFFIC_SNAPSHOT_REF, "snapshotRef", traffic.snapshot_ref, false, 0, "", NULL,                         \
      "Where the picture is kept when it is not in the record")                                              \
    X(TRAFFIC_SNAPSHOT_HASH, "snapshotHash", traffic.snapshot_hash, false, 0, "", NULL,                      \
      "SHA-256 of the picture, hexadecimal")                                                                 \
    X(TRAFFIC_SNAPSHOT, "snapshot", traffic.snapshot, false, 0, "", NULL, "The picture, Base64")

#define FIELDS_WEATHER(X)                                                                                    \
    FIELDS_COMMON(X, WEATHER)                                                                                \
    X(WEATHER_STATION_ID, "stationId", weather.station_id, false, 0, "", NULL, "The station")                \
    X(WEATHER_STATION_NAME, "stationName", weather.station_name, false, 0, "", NULL, "Its name")             \
    X(WEATHER_LOCATION, "location", weather.location, false, 6, "deg", NULL, "Where it stands, WGS84")       \
    X(WEATHER_TEMPERATURE, "temperature", weather.temperature, false, 1, "degC", NULL, "Air temperature")    \
    X(WEATHER_WEATHER_CONDITION, "weatherCondition", weather.weather_condition, false, 0, "",                \
      "Sunny|Cloudy|Rainy|Snowy|Fog|Drizzle|Sleet|Thunderstorm", "Weather in one word")                      \
    X(WEATHER_PRECIPITATION, "precipitation", weather.precipitation, false, 2, "mm/h", NULL, "Rate, melted") \
    X(WEATHER_WIND_SPEED, "windSpeed", weather.wind_speed, false, 1, "km/h", NULL, "Mean of ten minutes")    \
    X(WEATHER_HUMIDITY, "humidity", weather.humidity, false, 0, "%", NULL, "Relative humidity")              \
    X(WEATHER_AIR_QUALITY_INDEX, "airQualityIndex", weather.air_quality_index, false, 0, "", NULL,           \
      "US air quality index, 0 to 500")                                                                      \
    X(WEATHER_WMO_CODE, "wmoCode", weather.wmo_code, false, 0, "", NULL, "Weather code, WMO table 4677")     \
    X(WEATHER_DEW_POINT, "dewPoint", weather.dew_point, false, 1, "degC", NULL, "Dew point")                 \
    X(WEATHER_PRESSURE, "pressure", weather.pressure, false, 1, "hPa", NULL, "At mean sea level")            \
    X(WEATHER_WIND_DIRECTION, "windDirection", weather.wind_direction, false, 0, "deg", NULL,                \
      "Where the wind blows from")                                                                           \
    X(WEATHER_WIND_GUST, "windGust", weather.wind_gust, false, 1, "km/h", NULL, "Strongest gust")            \
    X(WEATHER_VISIBILITY, "visibility", weather.visibility, false, 0, "m", NULL, "Visibility")               \
    X(WEATHER_CLOUD_COVER, "cloudCover", weather.cloud_cover, false, 0, "%", NULL, "Share of the sky")       \
    X(WEATHER_PM25, "pm25", weather.pm25, false, 1, "ug/m3", NULL, "Particles under 2.5 um")                 \
    X(WEATHER_DAQI, "daqi", weather.daqi, false, 0, "", NULL, "UK daily air quality index, 1 to 10")         \
    X(WEATHER_ROAD_SURFACE, "roadSurface", weather.road_surface, false, 0, "", "dry|wet|flooded|icy|snow",   \
      "State of the road")

#define FIELDS_EMERGENCY(X)                                                                                  \
    FIELDS_COMMON(X, EMERGENCY)                                                                              \
    X(EMERGENCY_INCIDENT_ID, "incidentId", emergency.incident_id, false, 0, "", NULL, "The incident")        \
    X(EMERGENCY_TYPE, "type", emergency.type, false, 0, "", "Accident|Fire|Medical|Police|Breakdown|Debris", \
      "What happened")                                                                                       \
    X(EMERGENCY_LOCATION, "location", emergency.location, false, 6, "deg", NULL, "Where, WGS84")             \
    X(EMERGENCY_STATUS, "status", emergency.status, false, 0, "",                                            \
      "Reported|Active|Responding|OnScene|Clearing|Resolved", "Step of its life")                            \
    X(EMERGENCY_DESCRIPTION, "description", emergency.description, false, 0, "", NULL, "In words")           \
    X(EMERGENCY_SEVERITY, "severity", emergency.severity, false, 0, "", "Minor|Moderate|Severe|Extreme",     \
      "Words of CAP 1.2")                                                                                    \
    X(EMERGENCY_URGENCY, "urgency", emergency.urgency, false, 0, "", "Immediate|Expected|Future|Past",       \
      "Words of CAP 1.2")                                                                                    \
    X(EMERGENCY_CERTAINTY, "certainty", emergency.certainty, false, 0, "", "Observed|Likely|Possible",       \
      "Words of CAP 1.2")                                                                                    \
    X(EMERGENCY_LANES_CLOSED, "lanesClosed", emergency.lanes_closed, false, 0, "", NULL,                     \
      "Lanes closed, from the verge")                                                                        \
    X(EMERGENCY_LANES_TOTAL, "lanesTotal", emergency.lanes_total, false, 0, "", NULL,                        \
      "Lanes of the carriageway here")                                                                       \
    X(EMERGENCY_ROUTE_ID, "routeId", emergency.route_id, false, 0, "", NULL,                                 \
      "Route and direction, as m40-nb")                                                                      \
    X(EMERGENCY_ROAD, "road", emergency.road, false, 0, "", NULL, "Road number")                             \
    X(EMERGENCY_CARRIAGEWAY, "carriageway", emergency.carriageway, false, 0, "", NULL,                       \
      "Letter of the marker posts")                                                                          \
    X(EMERGENCY_CHAINAGE, "chainage", emergency.chainage, false, 3, "km", NULL,                              \
      "From the start of the route")                                                                         \
    X(EMERGENCY_MARKER, "marker", emergency.marker, false, 0, "", NULL, "Marker post, as M40 A 62/9")        \
    X(EMERGENCY_RESPONDERS, "responders", emergency.responders, false, 0, "", FIELD_WORDS_RESPONDER,         \
      "Services sent")                                                                                       \
    X(EMERGENCY_REPORTED_AT, "reportedAt", emergency.reported_at, false, 0, "", NULL, "First call")          \
    X(EMERGENCY_ACTIVE_AT, "activeAt", emergency.active_at, false, 0, "", NULL, "Confirmed")                 \
    X(EMERGENCY_RESPONDING_AT, "respondingAt", emergency.responding_at, false, 0, "", NULL,                  \
      "Services on the way")                                                                                 \
    X(EMERGENCY_ON_SCENE_AT, "onSceneAt", emergency.on_scene_at, false, 0, "", NULL, "First service there")  \
    X(EMERGENCY_CLEARING_AT, "clearingAt", emergency.clearing_at, false, 0, "", NULL, "Being cleared")       \
    X(EMERGENCY_RESOLVED_AT, "resolvedAt", emergency.resolved_at, false, 0, "", NULL, "Road clear again")    \
    X(EMERGENCY_EXPECTED_CLEAR_AT, "expectedClearAt", emergency.expected_clear_at, false, 0, "", NULL,       \
      "When it should be clear, as estimated now")                                                           \
    X(EMERGENCY_SEQUENCE, "sequence", emergency.sequence, false, 0, "", NULL,                                \
      "Version of this incident's record, from 1")

#endif
