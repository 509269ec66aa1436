/*
 * SIGINT and SIGTERM for commands without a loop: caught once asked for, then polled. A program with a loop
 * uses loop_add_signal instead. Any thread may poll.
 */
#ifndef SMARTCITY_BASE_INTERRUPT_H
#define SMARTCITY_BASE_INTERRUPT_H

void interrupt_catch(void);
int interrupt_caught(void); /* the signal's number, or 0 */
/* A reader that went away is an error of the write, not the end of the program. */
void interrupt_ignore_pipe(void);

#endif
