// Memory that grows, UTF-8 as the WHATWG reads it, and views on the memory of typed arrays.
#include <stdlib.h>
#include <string.h>

#include "guest.h"

static const char SPENT[] = "out of memory\n";

// The host takes these words on standard error for its bound.
void out_of_memory(void) {
    const __wasi_ciovec_t said = {(const uint8_t *)SPENT, sizeof SPENT - 1};
    __wasi_size_t written;
    (void)__wasi_fd_write(2, &said, 1, &written);
    __wasi_proc_exit(2);
}

void bytes_add(Bytes *into, const void *from, size_t size) {
    if (size > into->room - into->size) {
        size_t room = into->room * 2 > into->size + size ? into->room * 2 : into->size + size;
        if (room < 256) room = 256;
        uint8_t *grown = realloc(into->at, room);
        if (grown == NULL) out_of_memory();
        into->at = grown;
        into->room = room;
    }
    if (size) memcpy(into->at + into->size, from, size);
    into->size += size;
}

// The length of the character at `text`, or 0; `*bad` is then how many bytes one U+FFFD stands for: the longest start of
// a character (https://encoding.spec.whatwg.org/#utf-8-decoder).
static size_t character(const uint8_t *text, size_t left, size_t *bad) {
    uint8_t first = text[0], low = 0x80, high = 0xbf;
    size_t more;
    *bad = 1;
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) more = 1;
    else if (first >= 0xe0 && first <= 0xef) more = 2;
    else if (first >= 0xf0 && first <= 0xf4) more = 3;
    else return 0;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
    for (size_t i = 1; i <= more; i++) {
        if (i >= left || text[i] < low || text[i] > high) {
            *bad = i;
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return more + 1;
}

bool bytes_are_text(const uint8_t *text, size_t size) {
    size_t bad;
    for (size_t at = 0; at < size;) {
        size_t length = character(text + at, size - at, &bad);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

void bytes_repaired(Bytes *into, const uint8_t *text, size_t size) {
    size_t good = 0, at = 0, bad;
    while (at < size) {
        size_t length = character(text + at, size - at, &bad);
        if (length == 0) {
            bytes_add(into, text + good, at - good);
            bytes_add(into, "\xef\xbf\xbd", 3);
            length = bad;
            good = at + length;
        }
        at += length;
    }
    bytes_add(into, text + good, size - good);
}

uint8_t *bytes_of(JSContext *ctx, size_t *size, JSValueConst value) {
    static uint8_t nothing;
    if (JS_IsArrayBuffer(value)) {
        uint8_t *start = JS_GetArrayBuffer(ctx, size, value);
        return start == NULL && !JS_HasException(ctx) ? &nothing : start;
    }
    size_t offset, length, each;
    JSValue buffer = JS_GetTypedArrayBuffer(ctx, value, &offset, &length, &each);
    if (JS_IsException(buffer)) return NULL;
    size_t whole;
    uint8_t *start = JS_GetArrayBuffer(ctx, &whole, buffer);
    JS_FreeValue(ctx, buffer);  // the view keeps it
    if (start == NULL && JS_HasException(ctx)) return NULL;
    *size = length;
    return start == NULL ? &nothing : start + offset;
}

// Add the UTF-8 of a text, half of a surrogate pair as U+FFFD; false, with an exception, for what has no text.
bool bytes_add_text(JSContext *ctx, Bytes *into, JSValueConst value) {
    size_t size, from = 0;
    const char *text = JS_ToCStringLen(ctx, &size, value);
    if (text == NULL) return false;
    if (!bytes_are_text((const uint8_t *)text, size)) {
        // The engine writes a half as if it were a character: ed a0 80 to ed bf bf.
        for (size_t at = 0; at + 2 < size; at++) {
            if ((uint8_t)text[at] != 0xed || (uint8_t)text[at + 1] < 0xa0) continue;
            bytes_add(into, text + from, at - from);
            bytes_add(into, "\xef\xbf\xbd", 3);
            at += 2;
            from = at + 1;
        }
    }
    bytes_add(into, text + from, size - from);
    JS_FreeCString(ctx, text);
    return true;
}

// encode(text): its UTF-8, as a Uint8Array.
static JSValue encode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    Bytes text = {0};
    JSValue made = bytes_add_text(ctx, &text, argv[0]) ? JS_NewUint8ArrayCopy(ctx, text.at, text.size) : JS_EXCEPTION;
    free(text.at);
    return made;
}

// decode(bytes, strict): the text; undefined if it must be valid and is not.
static JSValue decode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    size_t size;
    const uint8_t *text = bytes_of(ctx, &size, argv[0]);
    if (text == NULL) return JS_EXCEPTION;
    if (bytes_are_text(text, size)) return JS_NewStringLen(ctx, (const char *)text, size);
    if (JS_ToBool(ctx, argv[1])) return JS_UNDEFINED;
    Bytes repaired = {0};
    bytes_repaired(&repaired, text, size);
    JSValue made = JS_NewStringLen(ctx, (const char *)repaired.at, repaired.size);
    free(repaired.at);
    return made;
}

static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("encode", 1, encode),
    JS_CFUNC_DEF("decode", 2, decode),
};

void add_bytes(JSContext *ctx, JSValueConst native) { JS_SetPropertyFunctionList(ctx, native, FUNCTIONS, COUNT(FUNCTIONS)); }
