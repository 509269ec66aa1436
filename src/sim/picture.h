/*
 * A camera's picture: the scene as plain data, drawn with cairo and coded as a baseline JPEG. Pure: the same
 * scene gives the same bytes. One picture may be drawn at a time with one `struct picture`.
 */
#ifndef SMARTCITY_SIM_PICTURE_H
#define SMARTCITY_SIM_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PICTURE_WIDTH    320
#define PICTURE_HEIGHT   240
#define PICTURE_VEHICLES 160
#define PICTURE_REACH    420.0F /* m: how far vehicles are drawn */

struct picture_vehicle {
    float distance; /* m from the camera to its near end */
    float side;     /* m right of the centre of the carriageway that is watched */
    uint8_t class;  /* enum event_count_class */
    bool towards;   /* comes towards the camera: on the other carriageway */
    bool braking;
    uint32_t look; /* picks colour and shape */
};

struct picture_incident {
    bool shown;
    bool attended; /* blue lights */
    bool fire;
    float distance; /* m, negative: behind the camera */
    uint8_t closed; /* bit i: lane i */
};

struct picture_scene {
    uint64_t seed;
    uint32_t camera;        /* picks mast, trees and bridge */
    uint64_t tick;          /* picks rain and grain */
    int lanes, other_lanes; /* other_lanes 0: no other carriageway in sight */
    bool town;
    float curvature; /* 1/m, positive: to the right */
    float slope;     /* rise over run ahead */
    float sun;       /* degrees above the horizon */
    float sun_side;  /* degrees from the direction of view, positive: to the right */
    float cloud, rain, visibility, wetness, snow; /* as struct weather */
    bool snowing;
    struct picture_incident incident;
    char caption[3][48]; /* id and place above, time below; ASCII */
    size_t vehicle_count;
    struct picture_vehicle vehicles[PICTURE_VEHICLES];
};

struct picture;
struct picture *picture_create(void);
void picture_destroy(struct picture *picture);
/* Draws and codes; the bytes belong to the picture until the next call. NULL only when the coder refuses. */
const unsigned char *picture_draw(struct picture *picture, struct picture_scene *scene, size_t *length);

#endif
