/* A temporary file with given content, for the tests of this folder. */
#ifndef JC_TESTS_TEMP_FILE_H
#define JC_TESTS_TEMP_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rewrites the test's one file and returns its path; it is deleted at exit. */
static char temp_path[] = "/tmp/jobcode-test-XXXXXX";

static void delete_temp(void)
{
    unlink(temp_path);
}

static const char *write_temp(const void *data, size_t n)
{
    static int fd = -1;
    if (fd < 0) {
        fd = mkstemp(temp_path);
        atexit(delete_temp);
    }
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, n, 0) != (ssize_t)n) {
        perror(temp_path);
        exit(1);
    }
    return temp_path;
}

#endif
