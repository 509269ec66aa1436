#include "sql/duckdb_library.h"

#include "sql/duckdb.h"

#include "base/file.h"
#include "base/text.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beside the program, as it is built (build/smartcity, build/asan/tests/unit/test_x) and as it is installed.
 */
static const char *const around[] = {"/lib/", "/../lib/", "/../../lib/", "/../../../lib/",
                                     "/../lib/smartcity/"};
static const char *const installed[] = {"/usr/local/lib/smartcity/", "/usr/lib/smartcity/"};

static bool find_library(char path[FILE_PATH_SIZE])
{
    const char *named = getenv("SMARTCITY_DUCKDB");
    if (named && *named) {
        text_copy(path, FILE_PATH_SIZE, named);
        return true; /* what was named is not looked for elsewhere */
    }
    char program[FILE_PATH_SIZE];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length > 0) {
        program[length] = '\0';
        char *slash = strrchr(program, '/');
        if (slash)
            *slash = '\0';
        for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
            int written = snprintf(path, FILE_PATH_SIZE, "%s%s" DUCKDB_LIBRARY, program, around[i]);
            if (written < FILE_PATH_SIZE && access(path, R_OK) == 0)
                return true;
        }
    }
    for (size_t i = 0; i < sizeof installed / sizeof *installed; i++) {
        snprintf(path, FILE_PATH_SIZE, "%s" DUCKDB_LIBRARY, installed[i]);
        if (access(path, R_OK) == 0)
            return true;
    }
    return false;
}

static int find_symbol(void *handle, const char *name, void *slot, const char *path, struct err *err)
{
    void *symbol = dlsym(handle, name);
    if (!symbol)
        return err_set(err, ERR_UNSUPPORTED, "%s has no %s: make duckdb fetches the version that is needed",
                       path, name);
    memcpy(slot, &symbol, sizeof symbol); /* ISO C has no cast from void * to a function */
    return 0;
}

static int locate(char path[FILE_PATH_SIZE], struct err *err)
{
    if (find_library(path))
        return 0;
    return err_set(err, ERR_NOT_FOUND,
                   "SQL needs DuckDB, and " DUCKDB_LIBRARY " is not here: run `make duckdb`, or set "
                   "SMARTCITY_DUCKDB to the file");
}

int duck_is_there(struct err *err)
{
    char path[FILE_PATH_SIZE];
    return locate(path, err);
}

int duck_api_load(struct duck_api *api, struct err *err)
{
    char path[FILE_PATH_SIZE];
    if (locate(path, err) < 0)
        return -1;
    /* It keeps threads and thread-local memory: once loaded it must not be unloaded. */
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        char reason[240];
        const char *text = dlerror();
        text_sanitise(reason, sizeof reason, text ? text : "?", text ? strlen(text) : 1);
        return err_set(err, ERR_NOT_FOUND, "DuckDB cannot be loaded (%s): run `make duckdb`", reason);
    }
#define F(result, name, arguments)                                                                           \
    if (find_symbol(handle, "duckdb_" #name, &api->name, path, err) != 0)                                    \
        goto failed;
    DUCKDB_FUNCTIONS(F)
#undef F
    if (find_symbol(handle, "duckdb_query_progress", &api->query_progress, path, err) != 0)
        goto failed;
    const char *version = api->library_version();
    if (strncmp(version, DUCKDB_SERIES, sizeof DUCKDB_SERIES - 1) != 0) {
        err_set(err, ERR_UNSUPPORTED, "%s is DuckDB %.40s, needed is " DUCKDB_SERIES "x: run `make duckdb`",
                path, version);
        goto failed;
    }
    void *mallctl = dlsym(handle, "duckdb_je_mallctl");
    memcpy(&api->mallctl, &mallctl, sizeof mallctl);
    dlclose(handle);
    return 0;
failed:
    dlclose(handle);
    return -1;
}
