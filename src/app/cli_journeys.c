/* journeys: list, show, delete, export, import. */
#include "app/cli.h"

#include "base/file.h"
#include "base/text.h"
#include "store/recorder.h"
#include "store/transfer.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int cli_journey_path(const struct options *options, const char *wanted, char path[512], struct err *err)
{
    struct journey_listing *list = NULL;
    size_t count = 0;
    if (file_size(wanted) >= 0) {
        text_copy(path, 512, wanted);
        return 0;
    }
    if (!strchr(wanted, '/') && journeys_list(options->journeys, &list, &count, err) < 0)
        return -1;
    int result = journeys_find(list, count, wanted, path, err);
    free(list);
    return result;
}

static const char *state_word(const struct journey_listing *listing)
{
    if (listing->problem[0])
        return "damaged";
    return listing->info.open ? "recording" : listing->info.clean ? "complete" : "cut off";
}

static json_t *journey_json(const struct journey_listing *listing)
{
    const struct journey_info *info = &listing->info;
    char first[TEXT_TIME_SIZE], last[TEXT_TIME_SIZE], started[TEXT_TIME_SIZE];
    json_t *topics = json_object();
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        json_object_set_new(topics, event_topic((enum event_kind)kind),
                            json_integer((json_int_t)info->events[kind]));
    json_t *object = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:f,s:I,s:I,s:I,s:I,s:i,s:s,s:s,s:o}", "path", info->path, "name",
        info->name, "state", state_word(listing), "started", text_time(started, info->started_us / 1000),
        "first", text_time(first, info->first_ms), "last", text_time(last, info->last_ms), "seconds",
        (double)(info->ended_us - info->started_us) / 1e6, "records", (json_int_t)info->total, "bytes",
        (json_int_t)info->bytes, "file_bytes", (json_int_t)info->file_bytes, "dropped_oldest",
        (json_int_t)info->dropped_oldest, "markers", (int)info->markers, "seed", info->seed, "source",
        info->source, "topics", topics);
    if (object && listing->problem[0])
        json_object_set_new(object, "problem", json_string(listing->problem));
    return object;
}

static void print_json(json_t *value, bool lines)
{
    char *text = json_dumps(value, lines ? JSON_COMPACT : JSON_INDENT(2));
    puts(text ? text : "null");
    free(text);
    json_decref(value);
}

static void print_listing(const struct journey_listing *list, size_t count, const struct options *options)
{
    int64_t bytes = 0;
    char size[TEXT_FIGURE_SIZE], records[TEXT_FIGURE_SIZE], length[TEXT_FIGURE_SIZE], time[TEXT_TIME_SIZE],
        limit[TEXT_FIGURE_SIZE];
    int width = 18; /* of the names: with eighteen a row takes 80 columns */
    for (size_t i = 0; i < count; i++) {
        int wanted = text_width(list[i].info.name[0] ? list[i].info.name : base_name(list[i].info.path));
        width = wanted > width ? wanted : width;
    }
    width = width < 36 ? width : 36;
    printf("%-*s %-16s %8s %11s %8s  %s\n", width, "journey", "recorded", "length", "records", "size",
           "state");
    for (size_t i = 0; i < count; i++) {
        const struct journey_info *info = &list[i].info;
        char name[64];
        const char *shown = info->name[0] ? info->name : base_name(info->path);
        text_sanitise(name, sizeof name, shown, strlen(shown));
        text_time(time, info->started_us / 1000);
        time[10] = ' ';
        time[16] = 0;
        bytes += info->file_bytes;
        printf("%-*s %-16s %8s %11s %8s  %s%s%s\n", width, name, info->started_us ? time : "-",
               text_duration(length, info->ended_us - info->started_us),
               text_count(records, (int64_t)info->total), text_bytes(size, (double)info->file_bytes),
               state_word(&list[i]), list[i].problem[0] ? ": " : "", list[i].problem);
    }
    if (count == 0)
        fputs("nothing is recorded yet; the console does by default\n", stderr);
    fprintf(stderr, "%zu journey%s, %s; each takes at most %s; times are UTC\nin %s\n", count,
            count == 1 ? "" : "s", text_bytes(size, (double)bytes),
            text_bytes(limit, (double)options->record_limit), options->journeys);
}

static int journeys_print_list(struct options *options)
{
    struct journey_listing *list = NULL;
    size_t count = 0;
    struct err err = ERR_INIT;
    if (journeys_list(options->journeys, &list, &count, &err) < 0)
        return cli_fail(&err);
    if (options->output == OUTPUT_TABLE) {
        print_listing(list, count, options);
    } else if (options->output == OUTPUT_CSV) {
        puts("path,name,state,started_us,records,bytes,file_bytes");
        for (size_t i = 0; i < count; i++)
            printf("\"%s\",\"%s\",%s,%lld,%llu,%llu,%lld\n", list[i].info.path, list[i].info.name,
                   state_word(&list[i]), (long long)list[i].info.started_us,
                   (unsigned long long)list[i].info.total, (unsigned long long)list[i].info.bytes,
                   (long long)list[i].info.file_bytes);
    } else if (options->output == OUTPUT_NDJSON) {
        for (size_t i = 0; i < count; i++)
            print_json(journey_json(&list[i]), true);
    } else {
        json_t *array = json_array();
        for (size_t i = 0; i < count; i++)
            json_array_append_new(array, journey_json(&list[i]));
        print_json(array, false);
    }
    free(list);
    return EXIT_OK;
}

static int journeys_show(struct options *options, const char *path)
{
    struct err err = ERR_INIT;
    struct journey_listing listing = {0};
    struct journey_reader *reader = journey_open(path, &err);
    if (!reader)
        return cli_fail(&err);
    journey_reader_info(reader, &listing.info);
    if (options->output != OUTPUT_TABLE) {
        print_json(journey_json(&listing), options->output == OUTPUT_NDJSON);
    } else {
        const struct journey_info *info = &listing.info;
        char a[TEXT_TIME_SIZE], b[TEXT_TIME_SIZE], figure[TEXT_FIGURE_SIZE], other[TEXT_FIGURE_SIZE];
        printf("file       %s\n", info->path);
        if (info->name[0])
            printf("name       %s\n", info->name);
        printf("state      %s\n", state_word(&listing));
        printf("recorded   %s to %s\n", text_time(a, info->started_us / 1000),
               text_time(b, info->ended_us / 1000));
        printf("simulated  %s to %s\n", text_time(a, info->first_ms), text_time(b, info->last_ms));
        printf("length     %s\n", text_duration(figure, info->ended_us - info->started_us));
        printf("source     %s%s%s\n", info->source, info->seed[0] ? ", seed " : "", info->seed);
        printf("records    %s, %s of JSON in %s on disk\n", text_count(figure, (int64_t)info->total),
               text_bytes(other, (double)info->bytes),
               text_bytes((char[TEXT_FIGURE_SIZE]){0}, (double)info->file_bytes));
        for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
            printf("  %-16s %14s\n", event_topic((enum event_kind)kind),
                   text_count(figure, (int64_t)info->events[kind]));
        if (info->dropped_oldest)
            printf("ring       %s oldest records have made room\n",
                   text_count(figure, (int64_t)info->dropped_oldest));
        struct journey_marker *markers = mem_zero(100, sizeof *markers);
        size_t count = journey_markers(reader, markers, 100, &err);
        for (size_t i = 0; i < count; i++)
            printf("%s %s  %s\n", i ? "          " : "markers   ",
                   text_duration(figure, markers[i].position_us), markers[i].text);
        free(markers);
    }
    journey_reader_close(reader);
    return EXIT_OK;
}

static int journeys_remove(struct options *options, const char *path)
{
    struct err err = ERR_INIT;
    char question[FILE_PATH_SIZE + 16];
    snprintf(question, sizeof question, "delete %s", path);
    if (!cli_confirm(options, question, NULL, &err) || journeys_delete(path, &err) < 0)
        return cli_fail(&err);
    fprintf(stderr, "deleted %s\n", path);
    return EXIT_OK;
}

static int journeys_export(const char *path)
{
    struct err err = ERR_INIT;
    struct transfer_figures figures = {0};
    struct journey_reader *reader = journey_open(path, &err);
    if (!reader)
        return cli_fail(&err);
    int result = transfer_export(reader, stdout, &figures, &err);
    if (result == 0 && fflush(stdout) != 0)
        result = err_set_errno(&err, ERR_IO, errno, "standard output");
    journey_reader_close(reader);
    fprintf(stderr, "%llu records\n", (unsigned long long)figures.records);
    return result < 0 ? cli_fail(&err) : EXIT_OK;
}

static int journeys_import(struct options *options, const char *source)
{
    struct err err = ERR_INIT;
    struct transfer_figures figures = {0};
    char path[FILE_PATH_SIZE], base[96];
    text_copy(base, sizeof base,
              options->name[0]           ? options->name
              : strcmp(source, "-") == 0 ? "import"
                                         : base_name(source));
    if (!options->name[0] && strrchr(base, '.'))
        *strrchr(base, '.') = 0;
    for (char *c = base; *c; c++)
        if (*c == '/' || (unsigned char)*c < 32)
            *c = '-';
    if (file_make_dirs(options->journeys, &err) < 0)
        return cli_fail(&err);
    snprintf(path, sizeof path, "%.400s/%s.sqlite", options->journeys, base);
    if (file_size(path) >= 0) {
        err_set(&err, ERR_USAGE, "%s is there already; give another --name, or delete it", path);
        return cli_fail(&err);
    }
    FILE *in = strcmp(source, "-") == 0 ? stdin : fopen(source, "re");
    if (!in) {
        err_set_errno(&err, ERR_IO, errno, "%s", source);
        return cli_fail(&err);
    }
    struct journey_settings settings = {
        .path = path, .name = options->name[0] ? options->name : base, .seed = "", .source = "import"};
    struct journey_writer *writer = journey_create(&settings, &err);
    int result = writer ? transfer_import(in, writer, &figures, &err) : -1;
    if (in != stdin)
        fclose(in);
    if (writer && journey_close(writer, result < 0 ? NULL : &err) < 0)
        result = -1;
    if (writer)
        fprintf(stderr, "%llu records into %s, %llu lines not understood%s%s\n",
                (unsigned long long)figures.records, path, (unsigned long long)figures.bad,
                figures.bad ? "; the first: " : "", figures.first_bad);
    if (result < 0)
        return cli_fail(&err);
    return figures.bad ? EXIT_FAILED : EXIT_OK;
}

int cli_journeys(struct options *options, const char *const *words, size_t count)
{
    char path[512];
    struct err err = ERR_INIT;
    const char *what = count ? words[0] : "list";
    if (strcmp(what, "list") == 0 && count < 2)
        return journeys_print_list(options);
    bool import = strcmp(what, "import") == 0, show = strcmp(what, "show") == 0;
    bool known = import || show || strcmp(what, "delete") == 0 || strcmp(what, "export") == 0;
    if (count != 2 || !known) {
        err_set(&err, ERR_USAGE, "journeys list, or journeys show|delete|export|import and one name or file");
        return cli_fail(&err);
    }
    if (import)
        return journeys_import(options, words[1]);
    if (cli_journey_path(options, words[1], path, &err) < 0)
        return cli_fail(&err);
    return strcmp(what, "show") == 0     ? journeys_show(options, path)
           : strcmp(what, "delete") == 0 ? journeys_remove(options, path)
                                         : journeys_export(path);
}
