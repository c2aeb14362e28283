/* What a program does to the files below one folder, in the order in which it happens, and faults on demand.
 *
 * Put before the C library (LD_PRELOAD), it takes each call that changes a file or a folder below TORTURE_FOLDER,
 * makes it, and appends it to the file TORTURE_JOURNAL, both under one lock: the order of the journal is the order of
 * effects. The file TORTURE_CONTROL, a `struct control`, says which of the calls to come fail, and how. Calls that it
 * cannot describe (copies within the kernel, reserved room) are refused, so that the caller takes others: a journal is
 * complete, or the test that rebuilds the folder from it fails. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { CREATE = 1, TRUNCATE, WRITE, SYNC, RENAME, LINK, UNLINK, MAKE_FOLDER, REMOVE_FOLDER, FORGET, SYNC_BEGUN };

/* How a call fails: not done at all; written in half, with an error or with a short count. */
enum manner { REFUSED, TORN, SHORT };

/* Shared with whoever tests. Faults begin after so many calls of the kinds in `kinds` (bits), and end after so many.
 * Of writes and syncs whose kind is in `slow_kinds`, one in `slow_one_in` is held up for up to `slow_milliseconds`; the
 * seed decides which. `drawn` counts those that were asked about, `held_up` those that had to wait. */
struct control {
    int64_t after, times;
    int32_t error, manner;
    uint32_t kinds;
    uint32_t slow_kinds, slow_one_in, slow_milliseconds;
    uint64_t slow_seed, drawn, held_up;
};

/* One call in the journal; paths and data follow. `size` is that of the whole. Of a sync that was held up there are two:
 * at its beginning and at its end, with the same number in `offset`; what it makes safe is what was there at the first. */
struct entry {
    uint32_t size, kind;
    int32_t error;
    uint32_t path_size, second_path_size, data_size;
    uint64_t inode, offset;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[4096];
static size_t folder_size;
static int journal = -1;
static struct control *control;

/* The inodes of files and folders below the folder that were opened; open addressing, never full. */
static uint64_t *known;
static size_t known_size, known_count;

static void fail(const char *what) {
    fprintf(stderr, "recorder: %s: %s\n", what, strerror(errno));
    abort();
}

static int is_known(uint64_t inode) {
    if (!known_size) return 0;
    for (size_t at = inode % known_size; known[at]; at = (at + 1) % known_size)
        if (known[at] == inode) return 1;
    return 0;
}

static void put_known(uint64_t inode) {
    size_t at = inode % known_size;
    while (known[at]) at = (at + 1) % known_size;
    known[at] = inode;
}

static void know(uint64_t inode) {
    if (is_known(inode)) return;
    if (2 * ++known_count > known_size) {
        uint64_t *old = known;
        size_t old_size = known_size;
        known_size = old_size ? 2 * old_size : 1024;
        known = calloc(known_size, sizeof *known);
        if (!known) fail("memory");
        for (size_t at = 0; at < old_size; at++)
            if (old[at]) put_known(old[at]);
        free(old);
    }
    put_known(inode);
}

static uint64_t inode_at(const char *path) {
    struct stat found;
    if (lstat(path, &found) < 0) fail("what was just made");
    know(found.st_ino);
    return found.st_ino;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TORTURE_FOLDER"), *out = getenv("TORTURE_JOURNAL"), *in = getenv("TORTURE_CONTROL");
    if (!path || !out || !in) return;
    folder_size = strlen(path);
    if (folder_size >= sizeof folder) fail("the folder's name is too long");
    memcpy(folder, path, folder_size);
    journal = (int)syscall(SYS_openat, AT_FDCWD, out, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int shared = (int)syscall(SYS_openat, AT_FDCWD, in, O_RDWR | O_CLOEXEC, 0);
    if (journal < 0 || shared < 0) fail("journal or control");
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
    if (control == MAP_FAILED) fail("control");
    close(shared);
    inode_at(folder);
}

/* Whether the path lies below the folder; `whole` gets it in full. */
static int is_inside(int directory, const char *path, char whole[8192]) {
    if (journal < 0 || !path) return 0;
    char base[4096] = "";
    if (path[0] != '/') {
        char link[64];
        snprintf(link, sizeof link, directory == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", directory);
        ssize_t size = readlink(link, base, sizeof base - 1);
        if (size < 0) return 0;
        base[size] = '\0';
    }
    snprintf(whole, 8192, "%s%s%s", base, base[0] ? "/" : "", path);
    return strncmp(whole, folder, folder_size) == 0 && whole[folder_size] == '/';
}

/* The inode of a descriptor that the journal is about, or 0. */
static uint64_t inode_of(int descriptor) {
    struct stat found;
    if (journal < 0 || descriptor < 0 || fstat(descriptor, &found) < 0) return 0;
    if (!S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode)) return 0;
    pthread_mutex_lock(&lock);
    int yes = is_known(found.st_ino);
    pthread_mutex_unlock(&lock);
    return yes ? found.st_ino : 0;
}

/* Whether the next call of this kind is to fail. */
static int is_due(enum kind kind) {
    if (control->times == 0 || !(control->kinds & 1u << kind)) return 0;
    if (control->after > 0) {
        control->after--;
        return 0;
    }
    control->times--;
    return 1;
}

/* The next number that the seed gives (splitmix64). */
static uint64_t draw(void) {
    uint64_t number = __atomic_add_fetch(&control->drawn, 1, __ATOMIC_RELAXED);
    uint64_t mixed = control->slow_seed + number * 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}

/* For how many milliseconds the next call of this kind is held up: mostly for none. */
static long delay_of(enum kind kind) {
    if (!(control->slow_kinds & 1u << kind)) return 0;
    uint64_t drawn = draw();
    if (drawn % control->slow_one_in != 0) return 0;
    __atomic_add_fetch(&control->held_up, 1, __ATOMIC_RELAXED);
    return (long)(1 + (drawn >> 32) % control->slow_milliseconds);
}

/* Without the lock: other calls go on meanwhile. */
static void hold_up(long milliseconds) {
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (milliseconds > 0 && nanosleep(&left, &left) < 0 && errno == EINTR) {}
}

static void append(const void *bytes, size_t size) {
    while (size > 0) {
        ssize_t written = syscall(SYS_write, journal, bytes, size);
        if (written < 0 && errno != EINTR) fail("journal");
        if (written > 0) bytes = (const char *)bytes + written, size -= (size_t)written;
    }
}

static void note(struct entry entry, const char *path, const char *second, const void *data) {
    entry.path_size = path ? (uint32_t)strlen(path) : 0;
    entry.second_path_size = second ? (uint32_t)strlen(second) : 0;
    size_t size = sizeof entry + entry.path_size + entry.second_path_size + entry.data_size;
    entry.size = (uint32_t)size;
    /* In one piece: a process that is killed leaves whole entries. */
    char *whole = malloc(size);
    if (!whole) fail("memory");
    char *to = whole;
    to = mempcpy(to, &entry, sizeof entry);
    to = mempcpy(to, path ? path : "", entry.path_size);
    to = mempcpy(to, second ? second : "", entry.second_path_size);
    memcpy(to, data ? data : "", entry.data_size);
    append(whole, size);
    free(whole);
}

/* The end of a call: unlocks, and keeps what it came to. */
static long leave(long result, int error) {
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

/* A call on names: `inside` says whether it is noted. It is made by the system call that follows. */
#define CHANGE(KIND, PATH, SECOND, INODE, CALL)                                                       \
    do {                                                                                              \
        pthread_mutex_lock(&lock);                                                                    \
        int faulty = is_due(KIND);                                                                    \
        long result = faulty ? -1 : (CALL);                                                           \
        int error = faulty ? control->error : errno;                                                  \
        if (faulty || result >= 0) {                                                                  \
            struct entry entry = {.kind = KIND, .error = faulty ? error : 0, .inode = faulty ? 0 : (INODE)}; \
            note(entry, PATH, SECOND, NULL);                                                          \
        }                                                                                             \
        return (int)leave(result, error);                                                             \
    } while (0)

static int opened(int directory, const char *path, int flags, mode_t mode) {
    char whole[8192];
    if (!is_inside(directory, path, whole)) return (int)syscall(SYS_openat, directory, path, flags, mode);
    struct stat before;
    pthread_mutex_lock(&lock);
    int is_new = (flags & O_CREAT) && lstat(whole, &before) < 0;
    int empties = (flags & O_TRUNC) && !is_new;
    enum kind kind = is_new ? CREATE : TRUNCATE;
    if ((is_new || empties) && is_due(kind)) {
        note((struct entry){.kind = kind, .error = control->error}, whole, NULL, NULL);
        return (int)leave(-1, control->error);
    }
    long descriptor = syscall(SYS_openat, directory, path, flags, mode);
    int error = errno;
    if (descriptor >= 0) {
        uint64_t inode = inode_at(whole);
        if (is_new) note((struct entry){.kind = CREATE, .inode = inode}, whole, NULL, NULL);
        if (empties) note((struct entry){.kind = TRUNCATE, .inode = inode}, NULL, NULL, NULL);
    }
    return (int)leave(descriptor, error);
}

#define OPENED(DIRECTORY)                            \
    mode_t mode = 0;                                 \
    if (flags & (O_CREAT | __O_TMPFILE)) {           \
        va_list more;                                \
        va_start(more, flags);                       \
        mode = va_arg(more, mode_t);                 \
        va_end(more);                                \
    }                                                \
    return opened(DIRECTORY, path, flags, mode)

int open(const char *path, int flags, ...) { OPENED(AT_FDCWD); }
int open64(const char *path, int flags, ...) { OPENED(AT_FDCWD); }
int openat(int directory, const char *path, int flags, ...) { OPENED(directory); }
int openat64(int directory, const char *path, int flags, ...) { OPENED(directory); }

/* Where a write without a place of its own goes. */
static int64_t place_of(int descriptor) {
    struct stat found;
    if (fcntl(descriptor, F_GETFL) & O_APPEND) return fstat(descriptor, &found) < 0 ? -1 : found.st_size;
    return lseek(descriptor, 0, SEEK_CUR);
}

/* Writes at `place`, or where the file stands if that is -1. */
static ssize_t written(int descriptor, uint64_t inode, const void *bytes, size_t size, int64_t place) {
    hold_up(delay_of(WRITE));
    pthread_mutex_lock(&lock);
    int64_t offset = place < 0 ? place_of(descriptor) : place;
    int faulty = is_due(WRITE);
    int manner = faulty ? control->manner : REFUSED, error = faulty ? control->error : 0;
    size_t wanted = !faulty ? size : manner == REFUSED ? 0 : size / 2;
    long result = 0;
    if (wanted > 0 || !faulty)
        result = place < 0 ? syscall(SYS_write, descriptor, bytes, wanted)
                           : syscall(SYS_pwrite64, descriptor, bytes, wanted, place);
    int system = errno;
    size_t done = result > 0 ? (size_t)result : 0;
    struct entry entry = {.kind = WRITE, .error = error, .inode = inode, .offset = (uint64_t)offset};
    entry.data_size = (uint32_t)done;
    if (faulty || result >= 0) note(entry, NULL, NULL, bytes);
    if (faulty && (manner != SHORT || done == 0)) return leave(-1, error);
    return leave(result, system);
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
    uint64_t inode = inode_of(descriptor);
    return inode ? written(descriptor, inode, bytes, size, -1) : syscall(SYS_write, descriptor, bytes, size);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t place) {
    uint64_t inode = inode_of(descriptor);
    if (!inode) return syscall(SYS_pwrite64, descriptor, bytes, size, place);
    return written(descriptor, inode, bytes, size, place);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t place) {
    return pwrite64(descriptor, bytes, size, place);
}

/* As one write of the first part that is not empty: a short count is allowed. */
ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    uint64_t inode = inode_of(descriptor);
    if (!inode) return syscall(SYS_writev, descriptor, parts, count);
    for (int part = 0; part < count; part++)
        if (parts[part].iov_len > 0) return written(descriptor, inode, parts[part].iov_base, parts[part].iov_len, -1);
    return 0;
}

int ftruncate64(int descriptor, off64_t length) {
    uint64_t inode = inode_of(descriptor);
    if (!inode) return (int)syscall(SYS_ftruncate, descriptor, length);
    pthread_mutex_lock(&lock);
    int error = is_due(TRUNCATE) ? control->error : 0;
    long result = error ? -1 : syscall(SYS_ftruncate, descriptor, length);
    int system = error ? error : errno;
    struct entry entry = {.kind = TRUNCATE, .error = error, .inode = inode, .offset = (uint64_t)length};
    if (error || result >= 0) note(entry, NULL, NULL, NULL);
    return (int)leave(result, system);
}

int ftruncate(int descriptor, off_t length) { return ftruncate64(descriptor, length); }

static int synced(int descriptor, long call) {
    uint64_t inode = inode_of(descriptor);
    if (!inode) return (int)syscall(call, descriptor);
    static uint64_t syncs_held_up;
    uint64_t number = 0;
    long delay = delay_of(SYNC);
    pthread_mutex_lock(&lock);
    if (delay > 0) {
        number = ++syncs_held_up;
        note((struct entry){.kind = SYNC_BEGUN, .inode = inode, .offset = number}, NULL, NULL, NULL);
        pthread_mutex_unlock(&lock);
        hold_up(delay);
        pthread_mutex_lock(&lock);
    }
    int error = is_due(SYNC) ? control->error : 0;
    /* What is kept of what was written is up to the model of the disk: the real one need not be waited for. */
    note((struct entry){.kind = SYNC, .error = error, .inode = inode, .offset = number}, NULL, NULL, NULL);
    return (int)leave(error ? -1 : 0, error);
}

int fsync(int descriptor) { return synced(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return synced(descriptor, SYS_fdatasync); }

int renameat2(int from, const char *path, int to, const char *second, unsigned flags) {
    char whole[8192], other[8192];
    int inside = is_inside(from, path, whole), is_second = is_inside(to, second, other);
    if (!inside && !is_second) return (int)syscall(SYS_renameat2, from, path, to, second, flags);
    if (inside != is_second || flags) fail("a rename that the journal cannot describe");
    CHANGE(RENAME, whole, other, 0, syscall(SYS_renameat2, from, path, to, second, flags));
}

int renameat(int from, const char *path, int to, const char *second) { return renameat2(from, path, to, second, 0); }
int rename(const char *path, const char *second) { return renameat2(AT_FDCWD, path, AT_FDCWD, second, 0); }

int linkat(int from, const char *path, int to, const char *second, int flags) {
    char whole[8192], other[8192];
    int inside = is_inside(from, path, whole), is_second = is_inside(to, second, other);
    if (!inside && !is_second) return (int)syscall(SYS_linkat, from, path, to, second, flags);
    if (inside != is_second) fail("a link that the journal cannot describe");
    CHANGE(LINK, whole, other, 0, syscall(SYS_linkat, from, path, to, second, flags));
}

int link(const char *path, const char *second) { return linkat(AT_FDCWD, path, AT_FDCWD, second, 0); }

int unlinkat(int directory, const char *path, int flags) {
    char whole[8192];
    if (!is_inside(directory, path, whole)) return (int)syscall(SYS_unlinkat, directory, path, flags);
    enum kind kind = flags & AT_REMOVEDIR ? REMOVE_FOLDER : UNLINK;
    CHANGE(kind, whole, NULL, 0, syscall(SYS_unlinkat, directory, path, flags));
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int directory, const char *path, mode_t mode) {
    char whole[8192];
    if (!is_inside(directory, path, whole)) return (int)syscall(SYS_mkdirat, directory, path, mode);
    CHANGE(MAKE_FOLDER, whole, NULL, inode_at(whole), syscall(SYS_mkdirat, directory, path, mode));
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* Advice to forget what the system keeps of a file in memory is noted: reads behind it see what the disk has. */
int posix_fadvise64(int descriptor, off64_t from, off64_t size, int advice) {
    uint64_t inode = inode_of(descriptor);
    long result = syscall(SYS_fadvise64, descriptor, from, size, advice);
    if (inode && advice == POSIX_FADV_DONTNEED) {
        pthread_mutex_lock(&lock);
        note((struct entry){.kind = FORGET, .inode = inode}, NULL, NULL, NULL);
        pthread_mutex_unlock(&lock);
    }
    return result < 0 ? errno : 0;
}

int posix_fadvise(int descriptor, off_t from, off_t size, int advice) {
    return posix_fadvise64(descriptor, from, size, advice);
}

/* Whoever is refused these copies by reading and writing, or goes without room made ahead. */

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) {
    if (!inode_of(out)) return syscall(SYS_copy_file_range, in, from, out, to, size, flags);
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile64(int out, int in, off64_t *from, size_t size) {
    if (!inode_of(out)) return syscall(SYS_sendfile, out, in, from, size);
    errno = EINVAL;
    return -1;
}

int fallocate64(int descriptor, int mode, off64_t from, off64_t size) {
    if (!inode_of(descriptor)) return (int)syscall(SYS_fallocate, descriptor, mode, from, size);
    errno = EOPNOTSUPP;
    return -1;
}
