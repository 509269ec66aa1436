/* The map's layers and the gazetteer: city/geo.h without the arithmetic (geo_math.c) and the routes
 * (geo_route.c). */
#include "city/geo.h"

#include "city/geo_tables.h"

#include <ctype.h>
#include <string.h>

size_t geo_lines(int detail, const struct geo_line **lines)
{
    const struct geo_line_table *table = &geo_line_tables[detail < 0             ? 0
                                                          : detail < GEO_DETAILS ? detail
                                                                                 : GEO_DETAILS - 1];
    *lines = table->lines;
    return table->count;
}

size_t geo_towns(const struct geo_place **places)
{
    *places = geo_town_table;
    return geo_town_count;
}

size_t geo_junctions(const struct geo_place **places)
{
    *places = geo_junction_table;
    return geo_junction_count;
}

/* Spaces and ASCII punctuation are not compared, so that "m40j9" is "M40 J9". */
static const char *skip_marks(const char *text)
{
    while (*text && (unsigned char)*text < 0x80 && !isalnum((unsigned char)*text))
        text++;
    return text;
}

enum match { MATCH_NONE, MATCH_PREFIX, MATCH_EXACT };

static enum match name_match(const char *name, const char *typed)
{
    for (;; name++, typed++) {
        name = skip_marks(name);
        typed = skip_marks(typed);
        if (!*typed)
            return *name ? MATCH_PREFIX : MATCH_EXACT;
        if (tolower((unsigned char)*name) != tolower((unsigned char)*typed))
            return MATCH_NONE;
    }
}

const struct geo_place *geo_find_place(const char *name)
{
    const struct geo_place *prefix = NULL;
    if (!*skip_marks(name))
        return NULL;
    for (size_t i = 0; i < geo_town_count; i++) {
        enum match match = name_match(geo_town_table[i].name, name);
        if (match == MATCH_EXACT)
            return &geo_town_table[i];
        if (match == MATCH_PREFIX && !prefix)
            prefix = &geo_town_table[i];
    }
    for (size_t i = 0; i < geo_junction_count; i++)
        if (name_match(geo_junction_table[i].name, name) == MATCH_EXACT)
            return &geo_junction_table[i];
    return prefix;
}

const char *geo_attribution(void)
{
    return "Roads: National Highways (OGL v3.0), contains OS data © Crown copyright and database right 2020; "
           "urban ends © OpenStreetMap contributors (ODbL); coast: Natural Earth; towns: GeoNames (CC BY "
           "4.0)";
}
