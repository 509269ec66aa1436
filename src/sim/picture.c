#include "sim/picture.h"

#include <stdlib.h>

struct picture *picture_create(void)
{
    return NULL;
}
void picture_destroy(struct picture *picture)
{
    free(picture);
}
const unsigned char *picture_draw(struct picture *picture, struct picture_scene *scene, size_t *length)
{
    *length = 0;
    return NULL;
}
