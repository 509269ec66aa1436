#include "ui/image.h"

#include <chafa.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

int image_decode(struct image *image, const void *bytes, size_t length, struct err *err)
{
    *image = (struct image){0};
    if (length > IMAGE_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "the picture is larger than %u MB", IMAGE_MAX_BYTES >> 20);
    tjhandle decoder = tjInitDecompress();
    if (decoder == NULL)
        return err_set(err, ERR_INTERNAL, "no JPEG decoder");
    int width = 0, height = 0, sampling = 0, space = 0, result = 0;
    if (tjDecompressHeader3(decoder, bytes, length, &width, &height, &sampling, &space) != 0) {
        result = err_set(err, ERR_CORRUPT, "not a JPEG picture");
    } else if (width < 1 || height < 1 || width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE) {
        result = err_set(err, ERR_LIMIT, "the picture says it is %d x %d pixels; %d x %d is the limit", width,
                         height, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
    } else {
        image->width = width;
        image->height = height;
        image->pixels = mem_zero((size_t)width * (size_t)height, 3);
        /* A progressive file of a thousand scans would take minutes: those are refused. */
        if (tjDecompress2(decoder, bytes, length, image->pixels, width, 0, height, TJPF_RGB,
                          TJFLAG_FASTDCT | TJFLAG_LIMITSCANS) != 0) {
            image->damaged = true;
            if (tjGetErrorCode(decoder) != TJERR_WARNING) {
                image_destroy(image);
                result = err_set(err, ERR_CORRUPT, "the picture cannot be decoded");
            }
        }
    }
    tjDestroy(decoder);
    return result;
}

void image_destroy(struct image *image)
{
    free(image->pixels);
    *image = (struct image){0};
}

/* The part of the picture to show, and the columns it takes. */
struct cut {
    int top, height, left, width; /* pixels */
    int columns;
};

#define KEEP_LEAST    0.62 /* of the height */
#define STRETCH_LIMIT 1.35

static struct cut cut_for(const struct image *image, int columns, int rows)
{
    struct cut cut = {.height = image->height, .width = image->width, .columns = columns};
    double wanted = (double)columns / (2.0 * rows), has = (double)image->width / image->height;
    if (wanted > has) {
        double keep = fmax(has / wanted, KEEP_LEAST);
        cut.height = (int)fmax(1, image->height * keep);
        cut.top = (image->height - cut.height) * 2 / 3;
        double shape = (double)image->width / cut.height * STRETCH_LIMIT;
        if (wanted > shape)
            cut.columns = (int)fmax(1, fmin(columns, shape * 2 * rows));
    } else {
        cut.width = (int)fmax(1, image->width * wanted / has);
        cut.left = (image->width - cut.width) / 2;
    }
    return cut;
}

static void render_greys(const struct image *image, const struct cut *cut, int stride, int rows,
                         struct cell *cells)
{
    static const char ramp[] = " .:-=+*#%@";
    size_t count = (size_t)cut->columns * (size_t)rows;
    double *light = mem_zero(count, sizeof *light), least = 255, most = 0;
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < cut->columns; x++) {
            int x0 = cut->left + x * cut->width / cut->columns,
                x1 = cut->left + (x + 1) * cut->width / cut->columns;
            int y0 = cut->top + y * cut->height / rows, y1 = cut->top + (y + 1) * cut->height / rows;
            double sum = 0;
            int pixels = 0;
            for (int py = y0; py < y1 || py == y0; py++)
                for (int px = x0; px < x1 || px == x0; px++, pixels++) {
                    const uint8_t *pixel =
                        image->pixels + ((size_t)py * (size_t)image->width + (size_t)px) * 3;
                    sum += 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
                }
            double mean = sum / pixels;
            light[y * cut->columns + x] = mean;
            least = fmin(least, mean);
            most = fmax(most, mean);
        }
    /* Half by how light it is, half by how many places are darker: a small lamp does not turn the rest black.
     */
    size_t darker[257] = {0};
    for (size_t i = 0; i < count; i++)
        darker[(int)light[i] + 1]++;
    for (int i = 1; i <= 256; i++)
        darker[i] += darker[i - 1];
    for (size_t i = 0; i < count; i++) {
        double part = most > least ? (light[i] - least) / (most - least) : 0;
        part = (part + (double)darker[(int)light[i]] / (double)count) / 2;
        cells[i / (size_t)cut->columns * (size_t)stride + i % (size_t)cut->columns] = (struct cell){
            .rune = (uint32_t)ramp[(int)(part * (sizeof ramp - 2) + 0.5)], .style = STYLE(ROLE_TEXT)};
    }
    free(light);
}

/* A palette of 240 colours turns the muted greens and blues of a road scene to grey: colours are drawn twice
 * as strong as they are, with a little more contrast. */
static colour vivid(int rgb)
{
    if (rgb < 0)
        return COLOUR_ROLE(ROLE_NONE);
    double part[3] = {rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255};
    double light = 0.299 * part[0] + 0.587 * part[1] + 0.114 * part[2];
    if (part[1] > part[0] && part[1] > part[2]) /* grass would become olive */
        part[1] *= 1.15;
    for (int i = 0; i < 3; i++)
        part[i] = fmin(fmax((light + (part[i] - light) * 2 - 110) * 1.2 + 120, 0), 255);
    return COLOUR_RGB((int)part[0], (int)part[1], (int)part[2]);
}

static void render_colours(const struct image *image, const struct cut *cut, enum glyphs glyphs, int stride,
                           int rows, struct cell *cells)
{
    chafa_set_n_threads(1);
    ChafaSymbolMap *symbols = chafa_symbol_map_new();
    chafa_symbol_map_add_by_tags(symbols,
                                 CHAFA_SYMBOL_TAG_SPACE | CHAFA_SYMBOL_TAG_HALF | CHAFA_SYMBOL_TAG_SOLID);
    if (glyphs == GLYPHS_BRAILLE)
        chafa_symbol_map_add_by_tags(symbols, CHAFA_SYMBOL_TAG_QUAD | CHAFA_SYMBOL_TAG_BLOCK);
    ChafaCanvasConfig *config = chafa_canvas_config_new();
    chafa_canvas_config_set_geometry(config, cut->columns, rows);
    chafa_canvas_config_set_canvas_mode(config, CHAFA_CANVAS_MODE_TRUECOLOR);
    chafa_canvas_config_set_symbol_map(config, symbols);
    chafa_canvas_config_set_work_factor(config, 0.4f);
    ChafaCanvas *canvas = chafa_canvas_new(config);
    const uint8_t *first = image->pixels + ((size_t)cut->top * (size_t)image->width + (size_t)cut->left) * 3;
    chafa_canvas_draw_all_pixels(canvas, CHAFA_PIXEL_RGB8, first, cut->width, cut->height, image->width * 3);
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < cut->columns; x++) {
            gint fg = 0, bg = 0;
            uint32_t rune = chafa_canvas_get_char_at(canvas, x, y);
            chafa_canvas_get_colors_at(canvas, x, y, &fg, &bg);
            cells[y * stride + x] = (struct cell){.rune = rune, .style = {.fg = vivid(fg), .bg = vivid(bg)}};
        }
    chafa_canvas_unref(canvas);
    chafa_canvas_config_unref(config);
    chafa_symbol_map_unref(symbols);
}

void image_render(const struct image *image, enum image_look look, enum glyphs glyphs, int width, int height,
                  struct cell *cells)
{
    if (width < 1 || height < 1 || image->pixels == NULL)
        return;
    for (int i = 0; i < width * height; i++)
        cells[i] = (struct cell){.rune = ' '};
    struct cut cut = cut_for(image, width, height);
    cells += (width - cut.columns) / 2;
    if (look == IMAGE_GREYS || glyphs == GLYPHS_ASCII)
        render_greys(image, &cut, width, height, cells);
    else
        render_colours(image, &cut, glyphs, width, height, cells);
}
