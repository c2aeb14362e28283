/* A disk whose syncs take long: put before the C library, it holds up every fdatasync of a file of the audit log for as many
 * milliseconds as the file named by SLOW_DISK says at that moment. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int is_of_the_log(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = '\0';
    return strstr(path, "/trail/log/") != NULL;
}

static long delay(void) {
    long milliseconds = 0;
    const char *name = getenv("SLOW_DISK");
    FILE *file = name ? fopen(name, "r") : NULL;
    if (file) {
        if (fscanf(file, "%ld", &milliseconds) != 1) milliseconds = 0;
        fclose(file);
    }
    return milliseconds;
}

int fdatasync(int descriptor) {
    static int (*next)(int);
    if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    if (is_of_the_log(descriptor)) {
        /* Asked again and again, so that a disk that hangs can be set going. */
        struct timespec millisecond = {0, 1000000};
        for (long waited = 0; waited < delay(); waited++) nanosleep(&millisecond, NULL);
    }
    return next(descriptor);
}
