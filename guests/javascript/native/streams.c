// What comes in and what goes out: the request, the text that the code writes, within a bound, and the one result.
//
// A text that is too long keeps its beginning and its end. Code that writes more than FLOOD times the bound is a flood:
// it is then written to the real standard output until the host's own bound stops the call, for truncating for ever would
// let an endless producer use up the deadline (as the shell does: guests/toolbox/shell/capture.go).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define FLOOD 4
#define FRAME_BYTES 512  // of the bound, for the result's keys and counts

typedef struct {
    Bytes head, tail;
    uint64_t written;
} Capture;

enum { BOTH, OUT, ERR, VALUE, NAME, MESSAGE, STACK, TEXTS };
// How much of the bound each may take, in sixteenths.
static const size_t SHARES[TEXTS] = {[BOTH] = 8, [OUT] = 4, [ERR] = 1, [VALUE] = 1, [NAME] = 0, [MESSAGE] = 1, [STACK] = 1};
static Capture texts[TEXTS];
static bool has_value, has_error;
static size_t bound = 64 << 10;
static uint64_t flooding;

void bound_output(size_t output_bytes_max) { bound = output_bytes_max; }

void read_request(Bytes *into) {
    static uint8_t chunk[64 << 10];
    const __wasi_iovec_t room = {chunk, sizeof chunk};
    __wasi_size_t got;
    while (__wasi_fd_read(0, &room, 1, &got) == 0 && got > 0) bytes_add(into, chunk, got);
}

static bool put(int fd, const void *text, size_t size) {
    while (size > 0) {
        const __wasi_ciovec_t part = {text, size};
        __wasi_size_t written;
        if (__wasi_fd_write(fd, &part, 1, &written) != 0 || written == 0) return false;
        text = (const uint8_t *)text + written;
        size -= written;
    }
    return true;
}

_Noreturn static void flood(void) {
    static uint8_t zeros[64 << 10];
    for (int i = 0; i < 1 << 14; i++) {
        if (!put(1, zeros, sizeof zeros)) break;
    }
    __wasi_proc_exit(1);  // no host bound is in force, and there is no valid result any more
}

static void keep(Capture *capture, const uint8_t *text, size_t size) {
    size_t half = bound / 2 < 256 ? 256 : bound / 2;
    capture->written += size;
    if (capture->head.size < half) {
        size_t first = half - capture->head.size < size ? half - capture->head.size : size;
        bytes_add(&capture->head, text, first);
        text += first;
        size -= first;
    }
    if (size >= half) {
        capture->tail.size = 0;
        bytes_add(&capture->tail, text + size - half, half);
    } else if (size > 0) {
        bytes_add(&capture->tail, text, size);
        // It grows to twice its bound before the older half goes, so that copying stays linear.
        if (capture->tail.size > 2 * half) {
            memmove(capture->tail.at, capture->tail.at + capture->tail.size - half, half);
            capture->tail.size = half;
        }
    }
}

// The length of one byte of valid UTF-8 inside a JSON string.
static size_t escaped(uint8_t byte) {
    switch (byte) {
        case '"': case '\\': case '\n': case '\r': case '\t': return 2;
        default: return byte < 0x20 || byte == 0x7f ? 6 : 1;
    }
}

static void add_escaped(Bytes *into, const uint8_t *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = text[i];
        char form[8];
        if (escaped(byte) == 1) {
            bytes_add(into, text + i, 1);
        } else if (escaped(byte) == 2) {
            form[0] = '\\';
            form[1] = byte == '\n' ? 'n' : byte == '\r' ? 'r' : byte == '\t' ? 't' : (char)byte;
            bytes_add(into, form, 2);
        } else {
            bytes_add(into, form, (size_t)snprintf(form, sizeof form, "\\u%04x", byte));
        }
    }
}

static bool continues(uint8_t byte) { return (byte & 0xc0) == 0x80; }

// How much of the text's beginning fits into so many bytes of JSON: whole characters, and whole lines if one ends within
// the last quarter.
static size_t beginning(const uint8_t *text, size_t size, size_t json_bytes_max) {
    size_t at = 0, used = 0;
    while (at < size && used + escaped(text[at]) <= json_bytes_max) used += escaped(text[at++]);
    if (at == size) return at;
    while (at > 0 && continues(text[at])) at--;
    for (size_t line = at; line > at - at / 4; line--) {
        if (text[line - 1] == '\n') return line;
    }
    return at;
}

static size_t ending(const uint8_t *text, size_t size, size_t json_bytes_max) {
    size_t at = size, used = 0;
    while (at > 0 && used + escaped(text[at - 1]) <= json_bytes_max) used += escaped(text[--at]);
    while (at < size && continues(text[at])) at++;
    for (size_t line = at; line < at + (size - at) / 4; line++) {
        if (text[line] == '\n') return line + 1;
    }
    return at;
}

// Add a text as a JSON string of at most so many bytes; say whether anything was left out.
static bool add_text(Bytes *into, const Capture *capture, size_t json_bytes_max) {
    Bytes raw = {0}, text = {0};
    bytes_add(&raw, capture->head.at, capture->head.size);
    uint64_t lost = capture->written - capture->head.size - capture->tail.size;
    size_t seam = raw.size;
    bytes_add(&raw, capture->tail.at, capture->tail.size);
    bytes_repaired(&text, raw.at, lost ? seam : raw.size);
    size_t head = text.size;
    if (lost) bytes_repaired(&text, raw.at + seam, raw.size - seam);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) size += escaped(text.at[i]);
    bytes_add(into, "\"", 1);
    bool cut = lost > 0 || size > json_bytes_max;
    if (!cut) {
        add_escaped(into, text.at, text.size);
    } else {
        // Half of it for each end, less the note between them; in what was kept of the head alone lies no end.
        size_t half = json_bytes_max / 2 > 64 ? json_bytes_max / 2 - 32 : json_bytes_max / 2;
        size_t first = beginning(text.at, head, half);
        size_t last = ending(text.at, text.size, half);
        if (last < first) last = first;
        char note[80];
        int length = snprintf(note, sizeof note, "\n[... %llu bytes left out ...]\n",
                              (unsigned long long)(lost + last - first));
        add_escaped(into, text.at, first);
        add_escaped(into, (const uint8_t *)note, (size_t)length);
        add_escaped(into, text.at + last, text.size - last);
    }
    bytes_add(into, "\"", 1);
    free(raw.at);
    free(text.at);
    return cut;
}

static void add_literal(Bytes *into, const char *text) { bytes_add(into, text, strlen(text)); }

static void add_key(Bytes *into, const char *key, int which, bool *cut) {
    size_t room = bound > FRAME_BYTES * 2 ? bound - FRAME_BYTES : bound / 2;
    add_literal(into, key);
    size_t share = SHARES[which] ? room / 16 * SHARES[which] : 128;
    *cut |= add_text(into, &texts[which], share);
}

static void keep_value(JSContext *ctx, int which, JSValueConst value) {
    Bytes text = {0};
    if (bytes_add_text(ctx, &text, value)) keep(&texts[which], text.at, text.size);
    free(text.at);
}

// emit(stream, text or bytes): what the code wrote; stream is 1, 2, or 0 for what belongs to the content alone. What a
// tool of its author's writes goes to standard error: its result is what its function returns.
static JSValue emit(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    int stream;
    if (JS_ToInt32(ctx, &stream, argv[0]) < 0) return JS_EXCEPTION;
    size_t size = 0;
    Bytes text = {0};
    const uint8_t *bytes;
    if (JS_IsString(argv[1])) {
        if (!bytes_add_text(ctx, &text, argv[1])) return JS_EXCEPTION;
        bytes = text.at;
        size = text.size;
    } else if ((bytes = bytes_of(ctx, &size, argv[1])) == NULL) {
        return JS_EXCEPTION;
    }
    if (is_packed()) {
        (void)put(2, bytes, size);
        free(text.at);
        return JS_UNDEFINED;
    }
    keep(&texts[BOTH], bytes, size);
    if (stream == 1 || stream == 2) keep(&texts[stream], bytes, size);
    free(text.at);
    // One large text is cut, and no flood: it counts as a part of the bound.
    flooding += size < bound / 4 ? size : bound / 4;
    if (flooding > (uint64_t)FLOOD * bound) flood();
    return JS_UNDEFINED;
}

// endsLine(): whether the next text that is written begins a line.
static JSValue ends_line(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    const Capture *both = &texts[BOTH];
    const Bytes *last = both->tail.size ? &both->tail : &both->head;
    return JS_NewBool(ctx, last->size == 0 || last->at[last->size - 1] == '\n');
}

// value(text), error(name, message, stack): what `data` says of the end.
static JSValue value(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    keep_value(ctx, VALUE, argv[0]);
    has_value = true;
    return JS_UNDEFINED;
}

static JSValue error(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    for (int i = 0; i < 3; i++) keep_value(ctx, NAME + i, argv[i]);
    has_error = true;
    return JS_UNDEFINED;
}

// finish(exit code): write the result of code that ran.
static JSValue finish(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    int code;
    if (JS_ToInt32(ctx, &code, argv[0]) < 0) return JS_EXCEPTION;
    Bytes out = {0};
    char number[32];
    bool cut = false, part = false;
    add_literal(&out, "{\"ok\":true");
    add_key(&out, ",\"content\":", BOTH, &cut);
    snprintf(number, sizeof number, ",\"data\":{\"exit_code\":%d", code);
    add_literal(&out, number);
    add_key(&out, ",\"stdout\":", OUT, &part);
    add_key(&out, ",\"stderr\":", ERR, &part);
    if (has_value) add_key(&out, ",\"value\":", VALUE, &part);
    if (has_error) {
        add_key(&out, ",\"error\":{\"name\":", NAME, &part);
        add_key(&out, ",\"message\":", MESSAGE, &part);
        add_key(&out, ",\"stack\":", STACK, &part);
        add_literal(&out, "}");
    }
    add_literal(&out, part ? ",\"truncated\":true}" : "}");
    add_literal(&out, cut ? ",\"truncated\":true}\n" : "}\n");
    (void)put(1, out.at, out.size);
    return JS_UNDEFINED;
}

// refuse(code, message): write the result of a call that could not begin.
static JSValue refuse(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    Capture code = {0}, message = {0};
    texts[NAME] = code;
    texts[MESSAGE] = message;
    keep_value(ctx, NAME, argv[0]);
    keep_value(ctx, MESSAGE, argv[1]);
    Bytes out = {0};
    add_literal(&out, "{\"ok\":false,\"error\":{\"code\":");
    (void)add_text(&out, &texts[NAME], 64);
    add_literal(&out, ",\"message\":");
    (void)add_text(&out, &texts[MESSAGE], 3000);
    add_literal(&out, "}}\n");
    (void)put(1, out.at, out.size);
    return JS_UNDEFINED;
}

// answer(text): write a result that is one already.
static JSValue answer_with(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    Bytes out = {0};
    if (!bytes_add_text(ctx, &out, argv[0])) return JS_EXCEPTION;
    (void)put(1, out.at, out.size);
    free(out.at);
    return JS_UNDEFINED;
}

// bound(bytes): how large the result may be.
static JSValue set_bound(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    uint32_t size;
    if (JS_ToUint32(ctx, &size, argv[0]) < 0) return JS_EXCEPTION;
    bound_output(size);
    return JS_UNDEFINED;
}

// exhausted(): end the call, for memory is used up.
static JSValue exhausted(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) { out_of_memory(); }

static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("emit", 2, emit),       JS_CFUNC_DEF("endsLine", 0, ends_line), JS_CFUNC_DEF("value", 1, value),
    JS_CFUNC_DEF("error", 3, error),     JS_CFUNC_DEF("finish", 1, finish),      JS_CFUNC_DEF("refuse", 2, refuse),
    JS_CFUNC_DEF("bound", 1, set_bound), JS_CFUNC_DEF("exhausted", 0, exhausted),
    JS_CFUNC_DEF("answer", 1, answer_with),
};

void add_streams(JSContext *ctx, JSValueConst native) {
    JS_SetPropertyFunctionList(ctx, native, FUNCTIONS, COUNT(FUNCTIONS));
}
