#include "tests/support/cloud_process.h"

#include "base/text.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t cloud_process_start(const char *folder, struct cloud_address *address)
{
    int ends[2];
    char line[1000];
    const char *endpoint, *access_key, *secret_key;
    if (pipe(ends) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl("build/smartcity", "smartcity", "cloud", "--port", "0", "--output", "json", "--data", folder,
              (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    json_t *object = out && fgets(line, sizeof line, out) ? json_loads(line, 0, NULL) : NULL;
    bool good = json_unpack(object, "{s:s, s:s, s:s}", "endpoint", &endpoint, "access_key", &access_key,
                            "secret_key", &secret_key) == 0;
    if (good) {
        snprintf(address->endpoint, sizeof address->endpoint, "%s", endpoint);
        snprintf(address->access_key, sizeof address->access_key, "%s", access_key);
        snprintf(address->secret_key, sizeof address->secret_key, "%s", secret_key);
    }
    json_decref(object);
    if (out)
        fclose(out);
    return good ? pid : -1;
}

int cloud_process_port(const struct cloud_address *address)
{
    int64_t port = 0;
    const char *colon = strrchr(address->endpoint, ':');
    return colon && text_parse_int(colon + 1, 1, 65535, &port) ? (int)port : 0;
}

void cloud_process_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void cloud_process_memory(pid_t pid, const char *when)
{
    char path[64], line[128];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmRSS:", 6) == 0 || strncmp(line, "RssAnon:", 8) == 0)
            printf("%s %s", when, line);
    if (file)
        fclose(file);
}
