// Files, as preview 1 has them, below the one root. The prelude gives absolute paths without NUL, `.` and `..`; what may be
// opened is the host's to decide, for each of them.
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define FS(name) __attribute__((import_module("capbox_fs"), import_name(name)))
FS("stat") uint32_t fs_stat(const char *path, uint32_t size, void *out);
FS("chmod") uint32_t fs_chmod(const char *path, uint32_t size, uint32_t mode);

#define READ_BYTES (1u << 20)
#define ENTRIES_BYTES (64u << 10)
#define RIGHTS_READ (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL | __WASI_RIGHTS_FD_FILESTAT_GET)
#define RIGHTS_WRITE \
    (__WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL | __WASI_RIGHTS_FD_FILESTAT_GET | \
     __WASI_RIGHTS_FD_FILESTAT_SET_SIZE | __WASI_RIGHTS_FD_SYNC)
#define FOLLOW __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW

// A path as preview 1 wants it: relative to the root. `whole` is to be freed.
typedef struct {
    const char *whole, *below;
} Path;

static bool take(JSContext *ctx, Path *path, JSValueConst value) {
    path->whole = JS_ToCString(ctx, value);
    if (path->whole == NULL) return false;
    path->below = path->whole;
    while (*path->below == '/') path->below++;
    if (*path->below == 0) path->below = ".";
    return true;
}

static JSValue status(JSContext *ctx, const __wasi_filestat_t *found) {
    const double parts[] = {
        (double)found->filetype, (double)found->size,      (double)found->atim / 1e6, (double)found->mtim / 1e6,
        (double)found->ctim / 1e6, (double)found->ino, (double)found->dev, (double)found->nlink,
    };
    JSValue list = JS_NewArray(ctx);
    for (int i = 0; i < COUNT(parts); i++) JS_SetPropertyUint32(ctx, list, (uint32_t)i, JS_NewFloat64(ctx, parts[i]));
    return list;
}

// stat(path, follow): [type, size, accessed, modified, changed, inode, device, links], times in milliseconds.
static JSValue stat_path(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    Path path;
    if (!take(ctx, &path, argv[0])) return JS_EXCEPTION;
    __wasi_filestat_t found;
    __wasi_errno_t error = __wasi_path_filestat_get(ROOT, JS_ToBool(ctx, argv[1]) ? FOLLOW : 0, path.below, &found);
    JS_FreeCString(ctx, path.whole);
    return error ? failed(ctx, error) : status(ctx, &found);
}

static JSValue stat_descriptor(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    uint32_t fd;
    if (JS_ToUint32(ctx, &fd, argv[0]) < 0) return JS_EXCEPTION;
    __wasi_filestat_t found;
    __wasi_errno_t error = __wasi_fd_filestat_get(fd, &found);
    return error ? failed(ctx, error) : status(ctx, &found);
}

// mode(path): kind and permissions, which preview 1 does not tell.
static JSValue mode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    size_t size;
    const char *path = JS_ToCStringLen(ctx, &size, argv[0]);
    if (path == NULL) return JS_EXCEPTION;
    uint32_t out[4];
    uint32_t error = fs_stat(path, size, out);
    JS_FreeCString(ctx, path);
    return error ? failed(ctx, error) : JS_NewUint32(ctx, out[0]);
}

static JSValue change_mode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    uint32_t wanted;
    size_t size;
    if (JS_ToUint32(ctx, &wanted, argv[1]) < 0) return JS_EXCEPTION;
    const char *path = JS_ToCStringLen(ctx, &size, argv[0]);
    if (path == NULL) return JS_EXCEPTION;
    uint32_t error = fs_chmod(path, size, wanted);
    JS_FreeCString(ctx, path);
    return failed(ctx, error);
}

static __wasi_errno_t opened(const Path *path, uint32_t oflags, uint32_t access, uint32_t append, __wasi_fd_t *fd) {
    __wasi_rights_t rights = (access & 1 ? RIGHTS_READ : 0) | (access & 2 ? RIGHTS_WRITE : 0);
    if (oflags & __WASI_OFLAGS_DIRECTORY) rights = __WASI_RIGHTS_FD_READDIR;
    return __wasi_path_open(ROOT, FOLLOW, path->below, (__wasi_oflags_t)oflags, rights, 0,
                            append ? __WASI_FDFLAGS_APPEND : 0, fd);
}

// open(path, oflags, access: 1 read, 2 write, 3 both, append): a descriptor.
static JSValue open_path(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    uint32_t oflags, access;
    if (JS_ToUint32(ctx, &oflags, argv[1]) < 0 || JS_ToUint32(ctx, &access, argv[2]) < 0) return JS_EXCEPTION;
    Path path;
    if (!take(ctx, &path, argv[0])) return JS_EXCEPTION;
    __wasi_fd_t fd;
    __wasi_errno_t error = opened(&path, oflags, access, (uint32_t)JS_ToBool(ctx, argv[3]), &fd);
    JS_FreeCString(ctx, path.whole);
    return error ? failed(ctx, error) : JS_NewUint32(ctx, fd);
}

static JSValue close_descriptor(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    uint32_t fd;
    if (JS_ToUint32(ctx, &fd, argv[0]) < 0) return JS_EXCEPTION;
    // The streams and the root stay open: the result goes out through one of them.
    return failed(ctx, fd <= ROOT ? __WASI_ERRNO_BADF : __wasi_fd_close(fd));
}

// transfer(fd, bytes, position or -1, write): how many bytes were read or written.
static JSValue transfer(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    uint32_t fd;
    int64_t at;
    size_t size;
    if (JS_ToUint32(ctx, &fd, argv[0]) < 0 || JS_ToInt64(ctx, &at, argv[2]) < 0) return JS_EXCEPTION;
    uint8_t *bytes = bytes_of(ctx, &size, argv[1]);
    if (bytes == NULL) return JS_EXCEPTION;
    if (fd <= ROOT) return failed(ctx, __WASI_ERRNO_BADF);
    __wasi_size_t done = 0;
    __wasi_errno_t error;
    if (JS_ToBool(ctx, argv[3])) {
        const __wasi_ciovec_t part = {bytes, size};
        error = at < 0 ? __wasi_fd_write(fd, &part, 1, &done) : __wasi_fd_pwrite(fd, &part, 1, (uint64_t)at, &done);
    } else {
        const __wasi_iovec_t part = {bytes, size};
        error = at < 0 ? __wasi_fd_read(fd, &part, 1, &done) : __wasi_fd_pread(fd, &part, 1, (uint64_t)at, &done);
    }
    return error ? failed(ctx, error) : JS_NewUint32(ctx, done);
}

static void *grown(JSRuntime *rt, void *opaque, void *at, size_t size) {
    if (size == 0) {
        free(at);
        return NULL;
    }
    return realloc(at, size);
}

// load(path): all of a file, as a Uint8Array.
static JSValue load(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    Path path;
    if (!take(ctx, &path, argv[0])) return JS_EXCEPTION;
    __wasi_fd_t fd;
    __wasi_errno_t error = opened(&path, 0, 1, 0, &fd);
    JS_FreeCString(ctx, path.whole);
    if (error) return failed(ctx, error);
    __wasi_filestat_t found;
    error = __wasi_fd_filestat_get(fd, &found);
    if (!error && found.filetype == __WASI_FILETYPE_DIRECTORY) error = __WASI_ERRNO_ISDIR;
    // A byte more than its size: the read that follows then sees the end without growing.
    size_t room = error ? 0 : found.size < SIZE_MAX / 2 ? (size_t)found.size + 1 : 0, size = 0;
    uint8_t *bytes = room ? malloc(room) : NULL;
    if (!error && bytes == NULL) out_of_memory();
    while (!error) {
        if (size == room) {
            room += READ_BYTES;
            uint8_t *more = realloc(bytes, room);
            if (more == NULL) out_of_memory();
            bytes = more;
        }
        const __wasi_iovec_t part = {bytes + size, room - size};
        __wasi_size_t got;
        error = __wasi_fd_read(fd, &part, 1, &got);
        if (error || got == 0) break;
        size += got;
    }
    (void)__wasi_fd_close(fd);
    if (error) {
        free(bytes);
        return failed(ctx, error);
    }
    return JS_NewUint8Array(ctx, bytes, size, grown, NULL, false);
}

// list(path): [name, type, name, type, ...], without . and .., in the host's order.
static JSValue list(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    Path path;
    if (!take(ctx, &path, argv[0])) return JS_EXCEPTION;
    __wasi_fd_t fd;
    __wasi_errno_t error = opened(&path, __WASI_OFLAGS_DIRECTORY, 1, 0, &fd);
    JS_FreeCString(ctx, path.whole);
    if (error) return failed(ctx, error);
    uint8_t *buffer = malloc(ENTRIES_BYTES);
    if (buffer == NULL) out_of_memory();
    JSValue found = JS_NewArray(ctx);
    uint32_t count = 0;
    __wasi_dircookie_t cookie = 0;
    for (;;) {
        __wasi_size_t used = 0, at = 0;
        error = __wasi_fd_readdir(fd, buffer, ENTRIES_BYTES, cookie, &used);
        if (error) break;
        while (used - at >= sizeof(__wasi_dirent_t)) {
            __wasi_dirent_t entry;
            memcpy(&entry, buffer + at, sizeof entry);
            if (used - at - sizeof entry < entry.d_namlen) break;
            const char *name = (const char *)buffer + at + sizeof entry;
            at += sizeof entry + entry.d_namlen;
            cookie = entry.d_next;
            if (entry.d_namlen <= 2 && memcmp(name, "..", entry.d_namlen) == 0) continue;
            JS_SetPropertyUint32(ctx, found, count++, JS_NewStringLen(ctx, name, entry.d_namlen));
            JS_SetPropertyUint32(ctx, found, count++, JS_NewUint32(ctx, entry.d_type));
        }
        // Less than a full buffer is the end; a full one without an entry cannot be.
        if (used < ENTRIES_BYTES || at == 0) break;
    }
    free(buffer);
    (void)__wasi_fd_close(fd);
    if (error) {
        JS_FreeValue(ctx, found);
        return failed(ctx, error);
    }
    return found;
}

static JSValue on_path(JSContext *ctx, JSValueConst value, __wasi_errno_t (*act)(__wasi_fd_t, const char *)) {
    Path path;
    if (!take(ctx, &path, value)) return JS_EXCEPTION;
    __wasi_errno_t error = act(ROOT, path.below);
    JS_FreeCString(ctx, path.whole);
    return failed(ctx, error);
}

static JSValue make_directory(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    return on_path(ctx, argv[0], __wasi_path_create_directory);
}

static JSValue remove_directory(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    return on_path(ctx, argv[0], __wasi_path_remove_directory);
}

static JSValue unlink_file(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    return on_path(ctx, argv[0], __wasi_path_unlink_file);
}

static JSValue rename_path(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    Path from, to;
    if (!take(ctx, &from, argv[0])) return JS_EXCEPTION;
    if (!take(ctx, &to, argv[1])) {
        JS_FreeCString(ctx, from.whole);
        return JS_EXCEPTION;
    }
    __wasi_errno_t error = __wasi_path_rename(ROOT, from.below, ROOT, to.below);
    JS_FreeCString(ctx, from.whole);
    JS_FreeCString(ctx, to.whole);
    return failed(ctx, error);
}

// symlink(target, path): the target is text, which the host judges.
static JSValue symlink_path(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    Path path;
    const char *target = JS_ToCString(ctx, argv[0]);
    if (target == NULL) return JS_EXCEPTION;
    if (!take(ctx, &path, argv[1])) {
        JS_FreeCString(ctx, target);
        return JS_EXCEPTION;
    }
    __wasi_errno_t error = __wasi_path_symlink(target, ROOT, path.below);
    JS_FreeCString(ctx, target);
    JS_FreeCString(ctx, path.whole);
    return failed(ctx, error);
}

static JSValue read_link(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    Path path;
    if (!take(ctx, &path, argv[0])) return JS_EXCEPTION;
    uint8_t target[4096];
    __wasi_size_t size;
    __wasi_errno_t error = __wasi_path_readlink(ROOT, path.below, target, sizeof target, &size);
    JS_FreeCString(ctx, path.whole);
    return error ? failed(ctx, error) : JS_NewStringLen(ctx, (const char *)target, size);
}

static JSValue resize(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    uint32_t fd;
    int64_t size;
    if (JS_ToUint32(ctx, &fd, argv[0]) < 0 || JS_ToInt64(ctx, &size, argv[1]) < 0) return JS_EXCEPTION;
    if (fd <= ROOT || size < 0) return failed(ctx, __WASI_ERRNO_INVAL);
    return failed(ctx, __wasi_fd_filestat_set_size(fd, (uint64_t)size));
}

// touch(path, accessed, modified): set both times, in milliseconds.
static JSValue touch(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    double accessed, modified;
    if (JS_ToFloat64(ctx, &accessed, argv[1]) < 0 || JS_ToFloat64(ctx, &modified, argv[2]) < 0) return JS_EXCEPTION;
    if (!(accessed >= 0 && accessed < 9e15 && modified >= 0 && modified < 9e15)) return failed(ctx, __WASI_ERRNO_INVAL);
    Path path;
    if (!take(ctx, &path, argv[0])) return JS_EXCEPTION;
    __wasi_errno_t error = __wasi_path_filestat_set_times(
        ROOT, FOLLOW, path.below, (__wasi_timestamp_t)(accessed * 1e6), (__wasi_timestamp_t)(modified * 1e6),
        __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM);
    JS_FreeCString(ctx, path.whole);
    return failed(ctx, error);
}

static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("stat", 2, stat_path),        JS_CFUNC_DEF("fstat", 1, stat_descriptor),
    JS_CFUNC_DEF("mode", 1, mode),             JS_CFUNC_DEF("chmod", 2, change_mode),
    JS_CFUNC_DEF("open", 4, open_path),        JS_CFUNC_DEF("close", 1, close_descriptor),
    JS_CFUNC_DEF("transfer", 4, transfer),     JS_CFUNC_DEF("load", 1, load),
    JS_CFUNC_DEF("list", 1, list),             JS_CFUNC_DEF("mkdir", 1, make_directory),
    JS_CFUNC_DEF("rmdir", 1, remove_directory), JS_CFUNC_DEF("unlink", 1, unlink_file),
    JS_CFUNC_DEF("rename", 2, rename_path),    JS_CFUNC_DEF("symlink", 2, symlink_path),
    JS_CFUNC_DEF("readlink", 1, read_link),    JS_CFUNC_DEF("resize", 2, resize),
    JS_CFUNC_DEF("touch", 3, touch),
};

void add_files(JSContext *ctx, JSValueConst native) { JS_SetPropertyFunctionList(ctx, native, FUNCTIONS, COUNT(FUNCTIONS)); }
