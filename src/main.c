/* The program: the only file that joins the engine (src/) and the screen (ui/). */
#include "app/cli.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct options options;
    int code = cli_main(argc, argv, &options);
    if (code == CLI_CONSOLE) {
        fputs("smartcity: no screen yet; run --headless\n", stderr);
        code = EXIT_USAGE;
    }
    options_free(&options);
    return code;
}
