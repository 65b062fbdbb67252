// The ways out: requests, and functions of the embedding program. The host decides on each, and answers in JSON.
#include <stdlib.h>

#include "guest.h"

#define HTTP(name) __attribute__((import_module("capbox_http"), import_name(name)))
#define INVOKE(name) __attribute__((import_module("capbox_invoke"), import_name(name)))

HTTP("request") uint32_t http_request(const void *head, uint32_t head_size, const void *body, uint32_t body_size, uint32_t *out);
HTTP("answer") uint32_t http_answer(void *into, uint32_t size);
HTTP("read") uint32_t http_read(uint32_t handle, void *into, uint32_t size, uint32_t *out);
HTTP("close") uint32_t http_close(uint32_t handle);
INVOKE("call") uint32_t invoke_call(const void *name, uint32_t name_size, const void *body, uint32_t body_size, uint32_t *out);
INVOKE("list") uint32_t invoke_list(uint32_t *out);
INVOKE("answer") uint32_t invoke_answer(void *into, uint32_t size);

#define ANSWER_BYTES_MAX (16u << 20)  // what is allocated for an answer on the host's word
#define READ_BYTES (256u << 10)

// The text of an answer of so many bytes, "" for none.
static JSValue taken(JSContext *ctx, uint32_t size, uint32_t (*copy)(void *, uint32_t)) {
    if (size == 0) return JS_NewString(ctx, "");
    if (size > ANSWER_BYTES_MAX) return failed(ctx, __WASI_ERRNO_2BIG);
    char *text = malloc(size + 1);
    if (text == NULL) out_of_memory();
    uint32_t error = copy(text, size);
    JSValue made = error ? failed(ctx, error) : JS_NewStringLen(ctx, text, size);
    free(text);
    return made;
}

static JSValue pair(JSContext *ctx, JSValue first, JSValue second) {
    JSValue both = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, both, 0, first);
    JS_SetPropertyUint32(ctx, both, 1, second);
    return both;
}

// request(head, body): [handle of the body, JSON of the head or of an error].
static JSValue request(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    size_t head_size, body_size = 0;
    uint8_t *body = NULL;
    if (!JS_IsUndefined(argv[1]) && (body = bytes_of(ctx, &body_size, argv[1])) == NULL) return JS_EXCEPTION;
    const char *head = JS_ToCStringLen(ctx, &head_size, argv[0]);
    if (head == NULL) return JS_EXCEPTION;
    uint32_t out[2] = {0, 0};
    uint32_t error = http_request(head, head_size, body, body_size, out);
    JS_FreeCString(ctx, head);
    if (error) return failed(ctx, error);
    return pair(ctx, JS_NewUint32(ctx, out[0]), taken(ctx, out[1], http_answer));
}

// body(handle): [the next bytes, JSON of an error or ""]; no bytes are the end.
static JSValue body(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    uint32_t handle, out[2] = {0, 0};
    if (JS_ToUint32(ctx, &handle, argv[0]) < 0) return JS_EXCEPTION;
    uint8_t *read = malloc(READ_BYTES);
    if (read == NULL) out_of_memory();
    uint32_t error = http_read(handle, read, READ_BYTES, out);
    JSValue made = error ? failed(ctx, error)
                         : pair(ctx, JS_NewUint8ArrayCopy(ctx, read, out[0] < READ_BYTES ? out[0] : READ_BYTES),
                                taken(ctx, out[1], http_answer));
    free(read);
    return made;
}

// closeBody(handle): end a response that is not wanted any further.
static JSValue close_body(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    uint32_t handle;
    if (JS_ToUint32(ctx, &handle, argv[0]) < 0) return JS_EXCEPTION;
    return failed(ctx, http_close(handle));
}

// call(name, arguments as JSON): JSON of a result or an error.
static JSValue call(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    size_t name_size, body_size;
    uint32_t size = 0;
    const char *name = JS_ToCStringLen(ctx, &name_size, argv[0]);
    if (name == NULL) return JS_EXCEPTION;
    const char *text = JS_ToCStringLen(ctx, &body_size, argv[1]);
    if (text == NULL) {
        JS_FreeCString(ctx, name);
        return JS_EXCEPTION;
    }
    uint32_t error = invoke_call(name, name_size, text, body_size, &size);
    JS_FreeCString(ctx, text);
    JS_FreeCString(ctx, name);
    return error ? failed(ctx, error) : taken(ctx, size, invoke_answer);
}

// functions(): JSON of what may be called, or of an error.
static JSValue functions(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    uint32_t size = 0;
    uint32_t error = invoke_list(&size);
    return error ? failed(ctx, error) : taken(ctx, size, invoke_answer);
}

static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("request", 2, request),
    JS_CFUNC_DEF("body", 1, body),
    JS_CFUNC_DEF("closeBody", 1, close_body),
    JS_CFUNC_DEF("call", 2, call),
    JS_CFUNC_DEF("functions", 0, functions),
};

void add_network(JSContext *ctx, JSValueConst native) {
    JS_SetPropertyFunctionList(ctx, native, FUNCTIONS, COUNT(FUNCTIONS));
}
