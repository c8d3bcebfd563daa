/* Lies to a process about the wall clock and its disk, as a file that it maps says: loaded before the C library. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How far the wall clock is off, nanoseconds; what is wrong with the disk of the journal, and of the audit log: see preload.rs. */
static volatile int64_t *words;

enum { STALLS = 1, NO_SPACE, IO_ERROR, HALF, LOST_SYNC };

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TICKGATE_TEST_FAULTS");
    int file = path ? open(path, O_RDONLY) : -1;
    if (file < 0) return;
    void *map = mmap(0, 3 * sizeof *words, PROT_READ, MAP_SHARED, file, 0);
    if (map != MAP_FAILED) words = map;
    close(file);
}

/* What is wrong with the disk that holds a file. */
static int64_t disk(int file) {
    char link[32], path[4096];
    if (!words || !(words[1] | words[2])) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "/journal/") ? words[1] : strstr(path, "/audit/") ? words[2] : 0;
}

int clock_gettime(clockid_t clock, struct timespec *to) {
    long result = syscall(SYS_clock_gettime, clock, to);
    if (result == 0 && clock == CLOCK_REALTIME && words) {
        int64_t ns = to->tv_sec * INT64_C(1000000000) + to->tv_nsec + words[0];
        to->tv_sec = ns / 1000000000;
        to->tv_nsec = ns % 1000000000;
    }
    return (int)result;
}

int fdatasync(int file) {
    while (disk(file) == STALLS) usleep(1000);
    if (disk(file) == LOST_SYNC) return errno = EIO, -1;
    return (int)syscall(SYS_fdatasync, file);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    switch (disk(file)) {
    case NO_SPACE: return errno = ENOSPC, -1;
    case IO_ERROR: return errno = EIO, -1;
    case HALF: if (count > 1) count /= 2; else return errno = EIO, -1;
    }
    return syscall(SYS_pwrite64, file, bytes, count, offset);
}
