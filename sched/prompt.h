// A thread that others wait for, prompt: it runs as soon as it wakes, beside threads that compute.
#pragma once

namespace green {

// The calling thread, of a normal policy, asks the kernel for the shortest slices, hence the
// earliest deadlines (sched_setattr(2), Documentation/scheduler/sched-eevdf.rst; ignored before
// Linux 6.12), and for timers without slack (PR_SET_TIMERSLACK of prctl(2)). It needs no privilege,
// and the thread's share of the CPU stays what it is. What the kernel refuses is done without.
void BecomePrompt();
// As it was before: threads that it creates get what it has.
void BecomeOrdinary();

}  // namespace green
