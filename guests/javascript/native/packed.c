// A tool's own modules: what `capbox tool build` puts behind the memory that this module was built with.
//
// There stands MARK, a length of four bytes, and that many bytes of JSON. Without it this is the tool javascript.
#include <string.h>

#include "guest.h"

#define PAGE_BYTES (64u << 10)
#define MARK "capbox\0\1"
#define MARK_BYTES 8

#ifdef REACTOR
static size_t built;  // where the memory of the snapshot ends
#else
extern uint8_t __heap_end;  // where the memory that the linker made ends
#define built ((size_t)&__heap_end)
#endif
static const char *text;
static uint32_t text_bytes;

static size_t memory_bytes(void) { return (size_t)__builtin_wasm_memory_size(0) * PAGE_BYTES; }

#ifdef REACTOR
void note_memory(void) { built = memory_bytes(); }
#endif

// Before anything is allocated, for what is allocated may lie there too.
void find_packed(void) {
    size_t most = memory_bytes();
    if (most <= built || memcmp((const void *)built, MARK, MARK_BYTES) != 0) return;
    memcpy(&text_bytes, (const uint8_t *)built + MARK_BYTES, sizeof text_bytes);
    if (text_bytes <= most - built - MARK_BYTES - sizeof text_bytes) text = (const char *)built + MARK_BYTES + sizeof text_bytes;
}

bool is_packed(void) { return text != NULL; }

// packed(): JSON of the tool's modules, undefined if there are none.
static JSValue packed(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    return text == NULL ? JS_UNDEFINED : JS_NewStringLen(ctx, text, text_bytes);
}

static const JSCFunctionListEntry FUNCTIONS[] = {JS_CFUNC_DEF("packed", 0, packed)};

void add_packed(JSContext *ctx, JSValueConst native) {
    JS_SetPropertyFunctionList(ctx, native, FUNCTIONS, COUNT(FUNCTIONS));
}
