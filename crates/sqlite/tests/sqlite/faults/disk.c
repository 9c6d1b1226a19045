/*
 * A disk that loses, tears and refuses: loaded before libc into a process whose store it stands below.
 *
 * Only the files of one directory are on it. What the process writes goes to the real files, which
 * play the page cache, and is noted here until it is synced; what has been synced is the image of the
 * disk. When the power is cut, the real files become what the disk holds: the image, and of what was
 * not synced nothing, or a part that a seed picks, sector by sector. Names are on the disk once the
 * directory was synced; what was done to them before that is lost from the end. Nothing is really
 * synced, so a life takes milliseconds.
 *
 * Not on the disk: `-shm`, which is memory, and what is mapped, which SQLite does with no other file.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FDS = 4096, NAMES = 8, PAST = 256, SECTOR = 512, CUT_STATUS = 86 };

/* What was done to a file since it was synced. Without bytes it was cut to the length `at`. */
struct change {
    size_t at, len;
    char *bytes;
    struct change *next;
};

struct file {
    char *disk;
    size_t len;
    struct change *first, **last;
};

struct entry {
    char name[64];
    struct file *file;
};

struct directory {
    struct entry entries[NAMES];
};

struct descriptor {
    struct file *file;
    int directory;
    /* A sync has failed through another descriptor, and this one has not been told. */
    int owed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct descriptor descriptors[FDS];
/* The first is on the disk, the last is what the process sees. */
static struct directory past[PAST];
static size_t present;
static uint64_t ops, syncs, writes, dice;

static struct {
    const char *directory, *trace, *loss, *cache, *error, *hold;
    uint64_t cut, sync, write, lies;
} plan;

static uint64_t number(const char *key) {
    const char *text = getenv(key);
    return text ? strtoull(text, NULL, 10) : 0;
}

static const char *text(const char *key) {
    const char *found = getenv(key);
    return found ? found : "";
}

__attribute__((constructor)) static void begin(void) {
    plan.directory = text("REWAKE_DISK");
    plan.trace = text("REWAKE_DISK_TRACE");
    plan.loss = text("REWAKE_DISK_LOSS");
    plan.cache = text("REWAKE_DISK_CACHE");
    plan.error = text("REWAKE_DISK_ERROR");
    plan.hold = text("REWAKE_DISK_HOLD");
    plan.cut = number("REWAKE_DISK_CUT");
    plan.sync = number("REWAKE_DISK_SYNC");
    plan.write = number("REWAKE_DISK_WRITE");
    plan.lies = number("REWAKE_DISK_LIES");
    dice = number("REWAKE_DISK_SEED") * 0x9e3779b97f4a7c15u + 1;
}

/* The tests read this. */
static void trace(const char *what, uint64_t count, const char *name) {
    char line[128];
    int len = snprintf(line, sizeof line, "%s %llu %s\n", what, (unsigned long long)count, name);
    long fd = syscall(SYS_openat, AT_FDCWD, plan.trace, O_WRONLY | O_CREAT | O_APPEND, 0600);
    syscall(SYS_write, fd, line, len);
    syscall(SYS_close, fd);
}

static void broken(const char *why) {
    trace("broken", ops, why);
    syscall(SYS_exit_group, 1);
}

static void *room(size_t len) {
    void *found = calloc(1, len + 1);
    if (!found)
        broken("no memory");
    return found;
}

static uint64_t roll(uint64_t sides) {
    dice ^= dice >> 12;
    dice ^= dice << 25;
    dice ^= dice >> 27;
    return (dice * 0x2545f4914f6cdd1du >> 33) % sides;
}

/* Names. */

/* The name of a file on this disk; nothing for another path. */
static const char *on_disk(const char *path) {
    size_t len = strlen(plan.directory);
    if (!len || !path || strncmp(path, plan.directory, len) || path[len] != '/')
        return NULL;
    const char *name = path + len + 1;
    size_t rest = strlen(name);
    if (strchr(name, '/') || (rest > 4 && !strcmp(name + rest - 4, "-shm")))
        return NULL;
    if (rest >= sizeof past[0].entries[0].name)
        broken("a name is too long");
    return name;
}

static long at_path(const char *name, int flags) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", plan.directory, name);
    return syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

static struct entry *entry_in(struct directory *directory, const char *name) {
    struct entry *free = NULL;
    for (struct entry *entry = directory->entries; entry < directory->entries + NAMES; entry++) {
        if (entry->file && !strcmp(entry->name, name))
            return entry;
        if (!entry->file)
            free = entry;
    }
    if (!free)
        broken("too many names");
    strcpy(free->name, name);
    return free;
}

static struct file *blank(void) {
    struct file *file = room(sizeof *file);
    file->last = &file->first;
    return file;
}

/* The file of a name. One that was there before this process is on the disk. */
static struct file *find(const char *name) {
    struct file *found = entry_in(&past[present], name)->file;
    if (found)
        return found;
    long fd = at_path(name, O_RDONLY);
    if (fd < 0)
        return NULL;
    found = blank();
    long len = syscall(SYS_lseek, fd, 0, SEEK_END);
    found->disk = room(len);
    found->len = len;
    if (syscall(SYS_pread64, fd, found->disk, len, 0) != len)
        broken("a file cannot be read");
    syscall(SYS_close, fd);
    for (size_t at = 0; at <= present; at++)
        entry_in(&past[at], name)->file = found;
    return found;
}

static void name(const char *name, struct file *file) {
    if (present + 1 == PAST)
        broken("too many changes of names");
    past[present + 1] = past[present];
    present++;
    if (name)
        entry_in(&past[present], name)->file = file;
}

static const char *name_of(const struct file *file) {
    for (size_t at = 0; at < NAMES; at++)
        if (past[present].entries[at].file == file)
            return past[present].entries[at].name;
    return "-";
}

/* Contents. */

static void put(struct file *file, size_t at, const char *bytes, size_t len) {
    if (at + len > file->len) {
        char *grown = room(at + len);
        if (file->len)
            memcpy(grown, file->disk, file->len);
        free(file->disk);
        file->disk = grown;
        file->len = at + len;
    }
    memcpy(file->disk + at, bytes, len);
}

static void cut_to(struct file *file, size_t len) {
    if (len > file->len)
        put(file, len - 1, "", 1);
    file->len = len;
}

static void note(struct file *file, size_t at, const char *bytes, size_t len) {
    struct change *change = room(sizeof *change);
    change->at = at;
    change->len = len;
    if (bytes) {
        change->bytes = room(len);
        memcpy(change->bytes, bytes, len);
    }
    *file->last = change;
    file->last = &change->next;
}

/* Whether a change, or a sector of one, has reached the disk. */
static int reached(int share) {
    return !strcmp(plan.loss, "some") && roll(4) < (uint64_t)share;
}

static void apply(struct file *file, const struct change *change, int whole) {
    if (whole || reached(2)) {
        if (change->bytes)
            put(file, change->at, change->bytes, change->len);
        else
            cut_to(file, change->at);
        return;
    }
    if (!change->bytes || !reached(2))
        return;
    size_t from = change->at, last = change->at + change->len;
    while (from < last) {
        size_t to = (from / SECTOR + 1) * SECTOR;
        to = to < last ? to : last;
        if (reached(2))
            put(file, from, change->bytes + (from - change->at), to - from);
        from = to;
    }
}

/* What was noted is on the disk, whole or in part, and is forgotten. */
static void settle(struct file *file, int whole) {
    struct change *change = file->first;
    while (change) {
        struct change *next = change->next;
        apply(file, change, whole);
        free(change->bytes);
        free(change);
        change = next;
    }
    file->first = NULL;
    file->last = &file->first;
}

static void show_through(long fd, const struct file *file) {
    syscall(SYS_ftruncate, fd, 0L);
    for (size_t at = 0; at < file->len;) {
        long done = syscall(SYS_pwrite64, fd, file->disk + at, file->len - at, at);
        if (done <= 0)
            broken("a file cannot be written");
        at += done;
    }
}

static void cut_power(const char *when) {
    size_t survives = !strcmp(plan.loss, "some") ? roll(present + 1) : 0;
    for (size_t at = 0; at < NAMES; at++) {
        char path[4096];
        struct entry *seen = &past[present].entries[at];
        snprintf(path, sizeof path, "%s/%s", plan.directory, seen->name);
        if (seen->file)
            syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    }
    for (size_t at = 0; at < NAMES; at++) {
        struct entry *kept = &past[survives].entries[at];
        if (!kept->file)
            continue;
        settle(kept->file, 0);
        long fd = at_path(kept->name, O_WRONLY | O_CREAT | O_TRUNC);
        show_through(fd, kept->file);
    }
    trace(when, ops, "");
    syscall(SYS_exit_group, CUT_STATUS);
}

/* A process that ends by itself ends before the power is cut, and loses no less by it. */
__attribute__((destructor)) static void end(void) {
    if (!*plan.directory)
        return;
    trace("ops", ops, "in all");
    trace("syncs", syncs, "in all");
    trace("writes", writes, "in all");
    cut_power("end");
}

/* Operations, one at a time. */

static void step(void) {
    if (++ops == plan.cut)
        cut_power("cut");
}

static struct descriptor *known(int fd) {
    if (fd < 0 || fd >= FDS || (!descriptors[fd].file && !descriptors[fd].directory))
        return NULL;
    return &descriptors[fd];
}

static int open_at(int at, const char *path, int flags, mode_t mode) {
    const char *called = on_disk(path);
    int directory = *plan.directory && path && !strcmp(path, plan.directory);
    if (!called && !directory)
        return syscall(SYS_openat, at, path, flags, mode);
    pthread_mutex_lock(&lock);
    struct file *file = called ? find(called) : NULL;
    int makes = called && !file && flags & O_CREAT;
    if (makes)
        step();
    int fd = syscall(SYS_openat, at, path, flags, mode);
    if (fd >= FDS)
        broken("too many descriptors");
    if (fd >= 0) {
        if (makes)
            name(called, file = blank());
        if (file && flags & O_TRUNC)
            note(file, 0, NULL, 0);
        descriptors[fd] = (struct descriptor){file, directory, 0};
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

/* The mode is there only where a file may be made. */
#define OPEN(at)                                                                                   \
    {                                                                                              \
        mode_t mode = 0;                                                                           \
        if (flags & O_CREAT) {                                                                     \
            va_list rest;                                                                          \
            va_start(rest, flags);                                                                 \
            mode = va_arg(rest, mode_t);                                                           \
            va_end(rest);                                                                          \
        }                                                                                          \
        return open_at(at, path, flags, mode);                                                     \
    }

int open(const char *path, int flags, ...) OPEN(AT_FDCWD)
int open64(const char *path, int flags, ...) OPEN(AT_FDCWD)
int openat(int at, const char *path, int flags, ...) OPEN(at)
int openat64(int at, const char *path, int flags, ...) OPEN(at)

int close(int fd) {
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < FDS)
        descriptors[fd] = (struct descriptor){0};
    int done = syscall(SYS_close, fd);
    pthread_mutex_unlock(&lock);
    return done;
}

/* How many bytes of this write the disk takes, and what it says then. */
static size_t taken(size_t len, int *fails) {
    *fails = 0;
    if (!plan.write || writes < plan.write)
        return len;
    if (!strcmp(plan.error, "short"))
        return writes == plan.write && len > 1 ? len / 2 : len;
    if (!strcmp(plan.error, "full")) {
        /* Somebody makes room in the end. */
        if (writes >= plan.write + 6)
            return len;
        if (writes == plan.write && len > 1)
            return len / 2;
        *fails = ENOSPC;
        return 0;
    }
    if (writes > plan.write)
        return len;
    *fails = EIO;
    return len / 2;
}

static ssize_t write_at(int fd, const char *bytes, size_t len, long at) {
    struct file *file = descriptors[fd].file;
    int fails;
    ++ops;
    ++writes;
    size_t takes = taken(len, &fails);
    long done = syscall(SYS_pwrite64, fd, bytes, takes, at);
    if (done > 0)
        note(file, at, bytes, done);
    if (ops == plan.cut)
        cut_power("cut");
    if (takes < len)
        trace("write", writes, name_of(file));
    if (fails) {
        errno = fails;
        return -1;
    }
    return done;
}

static ssize_t write_locked(int fd, const void *bytes, size_t len, long at) {
    pthread_mutex_lock(&lock);
    ssize_t done;
    if (!known(fd) || descriptors[fd].directory) {
        done = at < 0 ? syscall(SYS_write, fd, bytes, len)
                      : syscall(SYS_pwrite64, fd, bytes, len, at);
    } else if (at >= 0) {
        done = write_at(fd, bytes, len, at);
    } else {
        at = syscall(SYS_lseek, fd, 0L, SEEK_CUR);
        done = write_at(fd, bytes, len, at);
        if (done > 0)
            syscall(SYS_lseek, fd, at + done, SEEK_SET);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t len) {
    /* A pipe may block, and must not hold up the disk. */
    return known(fd) ? write_locked(fd, bytes, len, -1) : syscall(SYS_write, fd, bytes, len);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at) {
    return write_locked(fd, bytes, len, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at) {
    return write_locked(fd, bytes, len, at);
}

static int cut_locked(int fd, long len) {
    pthread_mutex_lock(&lock);
    struct descriptor *descriptor = known(fd);
    if (descriptor)
        step();
    int done = syscall(SYS_ftruncate, fd, len);
    if (descriptor && !done)
        note(descriptor->file, len, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate(int fd, off_t len) { return cut_locked(fd, len); }
int ftruncate64(int fd, off64_t len) { return cut_locked(fd, len); }

/*
 * What a kernel does with pages that it could not write: it keeps them to try again; or it takes them
 * for written, so that they are seen until the power is cut and the next sync succeeds; or it drops
 * them. Every descriptor that was open is told once.
 */
static void fail_sync(int fd) {
    struct file *file = descriptors[fd].file;
    if (!file || !strcmp(plan.cache, "keep"))
        return;
    settle(file, 0);
    if (!strcmp(plan.cache, "drop")) {
        long own = at_path(name_of(file), O_WRONLY);
        show_through(own, file);
        syscall(SYS_close, own);
    }
    for (int other = 0; other < FDS; other++)
        if (other != fd && descriptors[other].file == file)
            descriptors[other].owed = 1;
}

/* Syncs take as long as there is a file by the name of the plan; that they do, another one tells. */
static void hold(int fd) {
    if (!*plan.hold || !known(fd) || syscall(SYS_access, plan.hold, F_OK))
        return;
    char held[4096];
    snprintf(held, sizeof held, "%s-held", plan.hold);
    long told = syscall(SYS_openat, AT_FDCWD, held, O_WRONLY | O_CREAT, 0600);
    syscall(SYS_close, told);
    while (!syscall(SYS_access, plan.hold, F_OK))
        usleep(1000);
}

static int sync_locked(int fd) {
    /* Without the lock: writing goes on. */
    hold(fd);
    pthread_mutex_lock(&lock);
    struct descriptor *descriptor = known(fd);
    int fails = 0;
    if (descriptor) {
        step();
        fails = descriptor->owed;
        descriptor->owed = 0;
        const char *called = descriptor->file ? name_of(descriptor->file) : "directory";
        if (++syncs == plan.sync) {
            fails = 1;
            fail_sync(fd);
        }
        if (fails)
            trace("sync", syncs, called);
        else if (descriptor->file && !plan.lies)
            settle(descriptor->file, 1);
        else if (descriptor->directory && !plan.lies) {
            past[0] = past[present];
            present = 0;
        }
    }
    pthread_mutex_unlock(&lock);
    if (fails)
        errno = EIO;
    return fails ? -1 : 0;
}

int fsync(int fd) { return sync_locked(fd); }
int fdatasync(int fd) { return sync_locked(fd); }

int unlink(const char *path) {
    const char *called = on_disk(path);
    pthread_mutex_lock(&lock);
    struct file *file = called ? find(called) : NULL;
    if (file)
        step();
    int done = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (file && !done)
        name(called, NULL);
    pthread_mutex_unlock(&lock);
    return done;
}

int rename(const char *from, const char *to) {
    const char *old = on_disk(from), *new = on_disk(to);
    if (!old != !new)
        broken("a file comes to the disk or leaves it");
    pthread_mutex_lock(&lock);
    struct file *file = old ? find(old) : NULL;
    if (file)
        step();
    int done = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (file && !done) {
        name(new, file);
        entry_in(&past[present], old)->file = NULL;
    }
    pthread_mutex_unlock(&lock);
    return done;
}
