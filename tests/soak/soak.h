// The parts of the mix: each is a thread's body that goes on until `stopping`, checks all that it
// gets, and leaves nothing behind.
#pragma once

#include "tests/programs/check.h"

extern volatile int stopping;

void* compute(void*);        // allocates, fills, checks, frees
void* lock_file(void*);      // flock and a counter in the file
void* fault_pages(void*);    // a mapped file's pages, dropped and read again
void* make_children(void*);  // fork, posix_spawn
void* cancel_threads(void*);
void* load_library(void*);
void* send_signals(void*);  // to the process and to threads
void prepare_signals(void);

void* serve_storms(void*);  // an echo server, a thread a connection, and its client process
