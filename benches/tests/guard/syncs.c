/*
 * Counts syncs and written bytes of a process that it is loaded into before libc, in a file that the
 * process and whoever started it can read: two numbers of eight bytes.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static uint64_t here[2];
static uint64_t *counters = here;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("REWAKE_SYNCS");
    int fd = path ? open(path, O_RDWR | O_CREAT, 0600) : -1;
    if (fd < 0 || ftruncate(fd, sizeof here) != 0)
        return;
    void *shared = mmap(NULL, sizeof here, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared != MAP_FAILED)
        counters = shared;
    close(fd);
}

static void count(int which, uint64_t more) {
    __atomic_fetch_add(&counters[which], more, __ATOMIC_SEQ_CST);
}

int fsync(int fd) {
    count(0, 1);
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd) {
    count(0, 1);
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}

ssize_t pwrite64(int fd, const void *from, size_t len, off64_t at) {
    ssize_t wrote =
        ((ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64"))(fd, from, len, at);
    if (wrote > 0)
        count(1, (uint64_t)wrote);
    return wrote;
}

ssize_t pwrite(int fd, const void *from, size_t len, off_t at) {
    return pwrite64(fd, from, len, at);
}
