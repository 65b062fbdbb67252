// What the parts of the guest share. Each part adds its functions to the object `native`, which the prelude alone sees.
#ifndef CAPBOX_GUEST_H
#define CAPBOX_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wasi/api.h>

#include "quickjs.h"

#define ROOT 3  // the one preopened directory, "/"
#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

// A host function that failed answers with this: its errno as a negative number. The prelude makes an error of it.
static inline JSValue failed(JSContext *ctx, unsigned error) { return JS_NewInt32(ctx, -(int)error); }

// bytes.c: memory that grows, and text that is valid UTF-8 whatever it was made from.
typedef struct {
    uint8_t *at;
    size_t size, room;
} Bytes;
void bytes_add(Bytes *into, const void *from, size_t size);
void bytes_repaired(Bytes *into, const uint8_t *text, size_t size);
bool bytes_are_text(const uint8_t *text, size_t size);
bool bytes_add_text(JSContext *ctx, Bytes *into, JSValueConst value);
_Noreturn void out_of_memory(void);

// The bytes of a typed array, a DataView or an ArrayBuffer; NULL, with an exception, for anything else.
uint8_t *bytes_of(JSContext *ctx, size_t *size, JSValueConst value);

// streams.c: the request, what the code writes, and the result.
void read_request(Bytes *into);
void bound_output(size_t output_bytes_max);

// engine.c: evaluation, modules and the loop of jobs.
void open_engine(void);
void answer(const Bytes *request);

// packed.c: the modules of a tool that was made of this guest, and nothing else of it.
void note_memory(void);
void find_packed(void);
bool is_packed(void);

// clock.c: while it is false, clocks stand still: a snapshot must not depend on when it was made.
extern bool clocks_run;

void add_bytes(JSContext *ctx, JSValueConst native);
void add_streams(JSContext *ctx, JSValueConst native);
void add_files(JSContext *ctx, JSValueConst native);
void add_network(JSContext *ctx, JSValueConst native);
void add_packed(JSContext *ctx, JSValueConst native);
void add_clock(JSContext *ctx, JSValueConst native);

#endif
