// Time, waiting and chance: always the host's, read when they are asked for, never the snapshot's.
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "guest.h"

bool clocks_run = false;

static double milliseconds(__wasi_clockid_t clock) {
    __wasi_timestamp_t now = 0;
    if (clocks_run) (void)__wasi_clock_time_get(clock, 1, &now);
    return (double)now / 1e6;
}

// QuickJS calls these instead of the C library's (see the flags in guests/quickjs.py).
int guest_gettimeofday(struct timeval *now, void *zone) {
    __wasi_timestamp_t time = 0;
    if (clocks_run) (void)__wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 1, &time);
    now->tv_sec = (time_t)(time / 1000000000);
    now->tv_usec = (suseconds_t)(time % 1000000000 / 1000);
    return 0;
}

int guest_clock_gettime(clockid_t clock, struct timespec *now) {
    __wasi_timestamp_t time = 0;
    if (clocks_run) (void)__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &time);
    now->tv_sec = (time_t)(time / 1000000000);
    now->tv_nsec = (long)(time % 1000000000);
    return 0;
}

// now(): milliseconds since 1970. monotonic(): milliseconds of a clock that only goes forward.
static JSValue now(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    return JS_NewFloat64(ctx, milliseconds(__WASI_CLOCKID_REALTIME));
}

static JSValue monotonic(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    return JS_NewFloat64(ctx, milliseconds(__WASI_CLOCKID_MONOTONIC));
}

// sleep(milliseconds): wait; the host ends the call at its deadline.
static JSValue sleep_for(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    double wait;
    if (JS_ToFloat64(ctx, &wait, argv[0]) < 0) return JS_EXCEPTION;
    if (wait > 0) {
        __wasi_subscription_t wanted;
        memset(&wanted, 0, sizeof wanted);
        wanted.u.tag = __WASI_EVENTTYPE_CLOCK;
        wanted.u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
        wanted.u.u.clock.timeout = (__wasi_timestamp_t)(wait * 1e6);
        __wasi_event_t event;
        __wasi_size_t events;
        (void)__wasi_poll_oneoff(&wanted, &event, 1, &events);
    }
    return JS_UNDEFINED;
}

// fill(bytes): random bytes of the host.
static JSValue fill(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    size_t size;
    uint8_t *bytes = bytes_of(ctx, &size, argv[0]);
    if (bytes == NULL) return JS_EXCEPTION;
    return failed(ctx, __wasi_random_get(bytes, size));
}

// Math.random(): xoshiro256** (https://prng.di.unimi.it), seeded by the host at its first use in a call.
static JSValue chance(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    static uint64_t s[4];
    static bool seeded = false;
    if (!seeded) seeded = __wasi_random_get((uint8_t *)s, sizeof s) == 0;
    uint64_t product = s[1] * 5, result = ((product << 7) | (product >> 57)) * 9, shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return JS_NewFloat64(ctx, (double)(result >> 11) * 0x1p-53);
}

static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("now", 0, now),
    JS_CFUNC_DEF("monotonic", 0, monotonic),
    JS_CFUNC_DEF("sleep", 1, sleep_for),
    JS_CFUNC_DEF("fill", 1, fill),
};

void add_clock(JSContext *ctx, JSValueConst native) {
    JS_SetPropertyFunctionList(ctx, native, FUNCTIONS, COUNT(FUNCTIONS));
    JSValue global = JS_GetGlobalObject(ctx), math = JS_GetPropertyStr(ctx, global, "Math");
    JSValue random = JS_NewCFunction(ctx, chance, "random", 0);
    JS_DefinePropertyValueStr(ctx, math, "random", random, JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    JS_FreeValue(ctx, math);
    JS_FreeValue(ctx, global);
}
