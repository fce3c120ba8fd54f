// Monitor: one thread of libgreen's, outside all workers, that looks at each worker about every
// millisecond while work waits. It preempts a task that has had its slice, takes the worker from
// a carrier that sits in the kernel, fires timers and polls the reactor when all workers are
// busy, and sleeps when nothing waits.
#pragma once

namespace green {

long StartMonitor();
// Cheap; read by wakers. A false negative lasts until the monitor's next look before it sleeps.
bool MonitorSleeps();
void WakeMonitor();
void ResetMonitorAfterFork();

}  // namespace green
