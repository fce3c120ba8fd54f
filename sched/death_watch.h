// Something left to do when this process is gone, however it ended: by a process of its own, which
// shares the memory (CLONE_VM) and nothing else, and so outlives a kill. It sleeps until the kernel
// has ended the process's first thread, awaits the end of the others, does it, and ends. exec and
// exit come to the same.
//
// It has no descriptor, all signals blocked, a session of its own, and sends its parent no signal;
// wait(2) does not tell of it. Nobody reaps it after an exec, until that program has ended too.
//
//   g_first_lives: cleared, with a wake, by the kernel when the first thread lets go of the memory
//     (set_tid_address(2)), so after its last instruction.
#pragma once

namespace green {

// At start, on the process's first thread.
void PrepareDeathWatch();
// then: touches no GS base, lock or queue. Inside libgreen, once per process. 0 or -errno.
long StartDeathWatch(void (*then)());
void ResetDeathWatchAfterFork();

}  // namespace green
