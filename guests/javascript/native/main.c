// The entry points. Pre-initialised with wizer, `preinit` has run at build time and `capbox_call` answers one request;
// built plainly, `_start` does both. A host runs `capbox_call` if it exists, else `_start`.
#include "guest.h"

static void call(void) {
    Bytes request = {0};
    read_request(&request);  // a parked guest waits here
    answer(&request);
}

#ifdef REACTOR

__attribute__((export_name("preinit"))) void preinit(void) {
    open_engine();
    clocks_run = true;
    note_memory();
}

__attribute__((export_name("capbox_call"))) void capbox_call(void) {
    find_packed();
    call();
}

#else

int main(void) {
    find_packed();
    open_engine();
    clocks_run = true;
    call();
    return 0;
}

#endif
