/* The program's local cloud as a process of its own, for benchmarks of its memory and time. */
#ifndef SMARTCITY_TESTS_CLOUD_PROCESS_H
#define SMARTCITY_TESTS_CLOUD_PROCESS_H

#include "localcloud/cloud.h"

#include <sys/types.h>

/* build/smartcity cloud on a free port. -1 when it does not start. */
pid_t cloud_process_start(const char *folder, struct cloud_address *address);
int cloud_process_port(const struct cloud_address *address);
void cloud_process_kill(pid_t pid);
/* Prints resident memory, the part of it that is not of files too. */
void cloud_process_memory(pid_t pid, const char *when);

#endif
