// The lazy start: nothing happens until the process becomes threaded.
#pragma once

#include <cstddef>

namespace green {

// Starts the runtime unless it runs, cannot run here, or was told not to. True when it runs.
// Called by the thread that is about to create another one.
bool EnsureStarted();
// Around a libc fork of a process in which it does not run (known_sites.h).
void BeforeFork();
void InForkedChild();
// True when the runtime runs in this process (cheap).
bool Started();
// It will not run in this process, or not until the next fork.
bool RunsNatively();
// A thread is a green one unless something else is asked for; before the start: will be.
bool GreenByDefault();
// Looks at objects that were loaded since the last call. True when there were some.
bool PatchNewObjects();
// GREEN_STACK; 0 = as natively.
size_t DefaultStack();

// libc's own function behind an interposed one.
void* RealFunction(const char* name);

}  // namespace green
