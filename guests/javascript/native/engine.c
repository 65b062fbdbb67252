// The engine: one runtime and context with the prelude evaluated in it, modules, and the loop of jobs and timers.
//
// The prelude are the ES modules of ../prelude, embedded here. They import each other as `capbox:NAME` and are evaluated
// once, before the snapshot is taken. `capbox:native` is the object of these C functions; the code of a call cannot import
// it. `main` exports what is called from here: begin, resolve, source, rejected, tick, finish.
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "prelude.h"  // generated (guests/quickjs.py): PRELUDE, {name, text} of each module

// How much of the stack in memory the engine may use before it throws RangeError. A frame takes more of the stack that
// wasmtime keeps beside it, which has 1 MB by default: this leaves it the larger part (measured by
// tests/guests/javascript/test_bounds.py).
#ifndef STACK_BYTES
#define STACK_BYTES (256u << 10)
#endif
#define SPARE_BYTES (8u << 10)
#define COLLECT_BYTES (4u << 20)

static JSRuntime *runtime;
static JSContext *context;
static JSValue guest;
static bool leaving;
static bool starved;  // an allocation failed: the bound of memory was met

// Patched into QuickJS (../patches.toml): the module that is parsed next leaves its last value in import.meta.value.
int guest_keeps_value;
// Patched in too: stacks of errors have no frames of the prelude.
extern int guest_hides_prelude;

static void check_memory(const char *said) {
    if (said == NULL || starved) out_of_memory();
}

static void *noticed(void *made) {
    starved |= made == NULL;
    return made;
}

static void *allocate_zeros(void *opaque, size_t count, size_t size) { return noticed(calloc(count, size)); }
static void *allocate(void *opaque, size_t size) { return noticed(malloc(size)); }
static void *reallocate(void *opaque, void *at, size_t size) { return noticed(realloc(at, size)); }
static void release(void *opaque, void *at) { free(at); }
static size_t usable(const void *at) { return malloc_usable_size((void *)at); }

static const JSMallocFunctions ALLOCATOR = {allocate_zeros, allocate, release, reallocate, usable};

// What must not fail did: memory is used up, or the prelude has a bug.
_Noreturn static void fault(const char *where) {
    JSValue error = JS_GetException(context);
    const char *text = JS_ToCString(context, error);
    check_memory(text);
    JSValue stack = JS_GetPropertyStr(context, error, "stack");
    const char *trace = JS_ToCString(context, stack);
    fprintf(stderr, "%s: %s\n%s", where, text, trace ? trace : "");
    exit(70);
}

static JSValue ask(const char *name, int argc, JSValueConst *argv) {
    JSValue function = JS_GetPropertyStr(context, guest, name);
    JSValue said = JS_Call(context, function, JS_UNDEFINED, argc, argv);
    JS_FreeValue(context, function);
    return said;
}

// --- modules ---

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

static char *resolved(JSContext *ctx, const char *base, const char *name, void *opaque) {
    if (begins(base, "capbox:") && begins(name, "capbox:")) return js_strdup(ctx, name);
    JSValue asked[] = {JS_NewString(ctx, base), JS_NewString(ctx, name)};
    JSValue found = ask("resolve", 2, (JSValueConst *)asked);
    JS_FreeValue(ctx, asked[0]);
    JS_FreeValue(ctx, asked[1]);
    const char *text = JS_IsException(found) ? NULL : JS_ToCString(ctx, found);
    JS_FreeValue(ctx, found);
    if (text == NULL) return NULL;
    char *copy = js_strdup(ctx, text);
    JS_FreeCString(ctx, text);
    return copy;
}

// A module whose exports are the properties of an object.
static int fill_exports(JSContext *ctx, JSModuleDef *module) {
    JSValue exports = JS_GetModulePrivateValue(ctx, module);
    JSPropertyEnum *names;
    uint32_t count;
    if (JS_GetOwnPropertyNames(ctx, &names, &count, exports, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY) < 0) return -1;
    for (uint32_t i = 0; i < count; i++) {
        const char *name = JS_AtomToCString(ctx, names[i].atom);
        JS_SetModuleExport(ctx, module, name, JS_GetProperty(ctx, exports, names[i].atom));
        JS_FreeCString(ctx, name);
    }
    JS_FreePropertyEnum(ctx, names, count);
    JS_FreeValue(ctx, exports);
    return 0;
}

static JSModuleDef *of_object(JSContext *ctx, const char *name, JSValue exports) {
    JSPropertyEnum *names;
    uint32_t count;
    JSModuleDef *module = JS_NewCModule(ctx, name, fill_exports);
    if (module == NULL) return NULL;
    if (JS_GetOwnPropertyNames(ctx, &names, &count, exports, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY) < 0) return NULL;
    for (uint32_t i = 0; i < count; i++) {
        const char *export = JS_AtomToCString(ctx, names[i].atom);
        JS_AddModuleExport(ctx, module, export);
        JS_FreeCString(ctx, export);
    }
    JS_FreePropertyEnum(ctx, names, count);
    JS_SetModulePrivateValue(ctx, module, exports);
    return module;
}

static JSModuleDef *compiled(JSContext *ctx, const char *name, const char *text, size_t size) {
    JSValue code = JS_Eval(ctx, text, size, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (JS_IsException(code)) return NULL;
    JSModuleDef *module = JS_VALUE_GET_PTR(code);
    JS_FreeValue(ctx, code);  // the context keeps it
    JSValue said[] = {JS_GetImportMeta(ctx, module), JS_NewString(ctx, name)};
    if (!begins(name, "capbox:")) JS_FreeValue(ctx, ask("describe", 2, (JSValueConst *)said));
    JS_FreeValue(ctx, said[0]);
    JS_FreeValue(ctx, said[1]);
    return module;
}

static JSModuleDef *loaded(JSContext *ctx, const char *name, void *opaque) {
    for (int i = 0; i < COUNT(PRELUDE); i++) {
        if (strcmp(name, PRELUDE[i].name) == 0) return compiled(ctx, name, PRELUDE[i].text, PRELUDE[i].size);
    }
    JSValue asked = JS_NewString(ctx, name);
    JSValue found = ask("source", 1, (JSValueConst *)&asked);
    JS_FreeValue(ctx, asked);
    if (JS_IsException(found)) return NULL;
    if (!JS_IsString(found)) return of_object(ctx, name, found);
    size_t size;
    const char *text = JS_ToCStringLen(ctx, &size, found);
    JS_FreeValue(ctx, found);
    if (text == NULL) return NULL;
    JSModuleDef *module = compiled(ctx, name, text, size);
    JS_FreeCString(ctx, text);
    return module;
}

static void rejected(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool handled, void *opaque) {
    JSValueConst said[] = {promise, reason, JS_NewBool(ctx, handled)};
    // It may be the recursion that is too deep which is told of.
    JS_SetMaxStackSize(runtime, STACK_BYTES + SPARE_BYTES);
    JSValue done = ask("rejected", 3, said);
    JS_SetMaxStackSize(runtime, STACK_BYTES);
    if (JS_IsException(done)) fault("rejected");
    JS_FreeValue(ctx, done);
}

// --- what the prelude calls ---

// run(code, name, as a module): [promise of the script, undefined] or [promise of the module, its import.meta]. Throws
// SyntaxError before anything ran.
static JSValue run(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    size_t size;
    bool modular = JS_ToBool(ctx, argv[2]);
    const char *code = JS_ToCStringLen(ctx, &size, argv[0]), *name = JS_ToCString(ctx, argv[1]);
    if (code == NULL || name == NULL) return JS_EXCEPTION;
    int kind = modular ? JS_EVAL_TYPE_MODULE : JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_ASYNC;
    guest_keeps_value = modular;
    JSValue function = JS_Eval(ctx, code, size, name, kind | JS_EVAL_FLAG_COMPILE_ONLY);
    guest_keeps_value = 0;
    JS_FreeCString(ctx, code);
    if (JS_IsException(function)) {
        JS_FreeCString(ctx, name);
        return function;
    }
    JSValue meta = modular ? JS_GetImportMeta(ctx, JS_VALUE_GET_PTR(function)) : JS_UNDEFINED;
    if (modular) {
        JSValue said[] = {meta, JS_NewString(ctx, name)};
        JS_FreeValue(ctx, ask("describe", 2, (JSValueConst *)said));
        JS_FreeValue(ctx, said[1]);
    }
    JS_FreeCString(ctx, name);
    JSValue promise = JS_EvalFunction(ctx, function);
    if (JS_IsException(promise)) {
        JS_FreeValue(ctx, meta);
        return promise;
    }
    JSValue both = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, both, 0, promise);
    JS_SetPropertyUint32(ctx, both, 1, meta);
    return both;
}

// wrap(code, name): the value of a classic script, evaluated now: what `require` needs.
static JSValue wrap(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    size_t size;
    const char *code = JS_ToCStringLen(ctx, &size, argv[0]), *name = JS_ToCString(ctx, argv[1]);
    if (code == NULL || name == NULL) return JS_EXCEPTION;
    JSValue value = JS_Eval(ctx, code, size, name, JS_EVAL_TYPE_GLOBAL);
    JS_FreeCString(ctx, code);
    JS_FreeCString(ctx, name);
    return value;
}

// leave(): end the code now; nothing of it, not even `finally`, runs any further.
static JSValue leave(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    leaving = true;
    JSValue error = JS_NewError(ctx);
    JS_SetUncatchableError(ctx, error);
    return JS_Throw(ctx, error);
}

// promise(value): [state: 0 pending, 1 fulfilled, 2 rejected; result], undefined for what is no promise.
static JSValue promise(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    JSPromiseStateEnum state = JS_PromiseState(ctx, argv[0]);
    if (state == JS_PROMISE_NOT_A_PROMISE) return JS_UNDEFINED;
    JSValue both = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, both, 0, JS_NewInt32(ctx, state));
    JS_SetPropertyUint32(ctx, both, 1, state == JS_PROMISE_PENDING ? JS_UNDEFINED : JS_PromiseResult(ctx, argv[0]));
    return both;
}

// proxied(value): what a proxy stands before, undefined for anything else.
static JSValue proxied(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    return JS_IsProxy(argv[0]) ? JS_GetProxyTarget(ctx, argv[0]) : JS_UNDEFINED;
}

// memory(): how many bytes the engine holds.
static JSValue memory(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    JSMemoryUsage usage;
    JS_ComputeMemoryUsage(runtime, &usage);
    return JS_NewInt64(ctx, usage.malloc_size);
}

// starved(): whether memory was used up at some time.
static JSValue was_starved(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) { return JS_NewBool(ctx, starved); }

static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("run", 3, run),         JS_CFUNC_DEF("wrap", 2, wrap),       JS_CFUNC_DEF("leave", 0, leave),
    JS_CFUNC_DEF("promise", 1, promise), JS_CFUNC_DEF("proxied", 1, proxied), JS_CFUNC_DEF("memory", 0, memory),
    JS_CFUNC_DEF("starved", 0, was_starved),
};

// --- a call ---

static bool run_jobs(void) {
    JSContext *of;
    int ran;
    while (!leaving && (ran = JS_ExecutePendingJob(runtime, &of)) != 0) {
        // A job that throws is one that was ended by `leave`, or could not be allocated.
        if (ran < 0 && !leaving) fault("a job");
    }
    return !leaving;
}

static double tick(void) {
    JSValue wait = ask("tick", 0, NULL);
    double found = -1;
    if (JS_IsException(wait)) {
        if (!leaving) fault("tick");
    } else {
        JS_ToFloat64(context, &found, wait);
    }
    JS_FreeValue(context, wait);
    return found;
}

void answer(const Bytes *request) {
    JS_UpdateStackTop(runtime);
    JSValue text = JS_NewStringLen(context, (const char *)request->at, request->size);
    JSValue begun = ask("begin", 1, (JSValueConst *)&text);
    if (JS_IsException(begun) && !leaving) fault("begin");
    while (run_jobs() && tick() >= 0) continue;
    if (leaving) {
        JS_FreeValue(context, JS_GetException(context));
        JS_ResetUncatchableError(context);
    }
    leaving = false;
    if (JS_IsException(ask("finish", 0, NULL))) {
        if (!leaving) fault("finish");  // a listener of `exit` called process.exit again
        leaving = false;
        JS_FreeValue(context, JS_GetException(context));
        if (JS_IsException(ask("finish", 0, NULL))) fault("finish");
    }
}

// --- before the snapshot ---

static int name_native(JSContext *ctx, JSModuleDef *module) {
    JSValue native = JS_NewObject(ctx);
    add_bytes(ctx, native);
    add_streams(ctx, native);
    add_files(ctx, native);
    add_network(ctx, native);
    add_packed(ctx, native);
    add_clock(ctx, native);
    JS_SetPropertyFunctionList(ctx, native, FUNCTIONS, COUNT(FUNCTIONS));
    return JS_SetModuleExport(ctx, module, "native", native);
}

void open_engine(void) {
    runtime = JS_NewRuntime2(&ALLOCATOR, NULL);
    if (runtime == NULL) out_of_memory();
    JS_SetMaxStackSize(runtime, STACK_BYTES);
    JS_SetModuleLoaderFunc(runtime, resolved, loaded, NULL);
    context = JS_NewContext(runtime);
    if (context == NULL) out_of_memory();
    JSModuleDef *native = JS_NewCModule(context, "capbox:native", name_native);
    JS_AddModuleExport(context, native, "native");
    JSModuleDef *module = loaded(context, "capbox:main", NULL);
    if (module == NULL) fault("the prelude");
    JSValue done = JS_EvalFunction(context, JS_DupValue(context, JS_MKPTR(JS_TAG_MODULE, module)));
    if (JS_IsException(done)) fault("the prelude");
    run_jobs();
    if (JS_PromiseState(context, done) != JS_PROMISE_FULFILLED) {
        JS_Throw(context, JS_PromiseResult(context, done));
        fault("the prelude");
    }
    JS_FreeValue(context, done);
    guest = JS_GetModuleNamespace(context, module);
    guest_hides_prelude = 1;
    JS_SetHostPromiseRejectionTracker(runtime, rejected, NULL);
    JS_RunGC(runtime);
    JS_SetGCThreshold(runtime, COLLECT_BYTES);
}
