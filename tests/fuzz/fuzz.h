/* What the libFuzzer targets share: a check that aborts, and an input as a file that lies in memory. */
#ifndef JC_TESTS_FUZZ_H
#define JC_TESTS_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define ENSURE(x)                                                   \
    do {                                                            \
        if (!(x)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
            abort();                                                \
        }                                                           \
    } while (0)

/* In memory, so that writing a file costs no disk. */
#define FUZZ_FOLDER "/dev/shm"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

/* A path under which the bytes can be opened until the next call. */
static inline const char *fuzz_file(const unsigned char *data, size_t n)
{
    static char path[40];
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        ENSURE(fd >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    ENSURE(ftruncate(fd, 0) == 0);
    ENSURE(pwrite(fd, data, n, 0) == (ssize_t)n);
    return path;
}

/* A path of this process that can be written and renamed onto. */
static inline const char *fuzz_output(void)
{
    static char path[80];
    if (!*path)
        snprintf(path, sizeof path, FUZZ_FOLDER "/jobcode-fuzz-%d", (int)getpid());
    return path;
}

#endif
