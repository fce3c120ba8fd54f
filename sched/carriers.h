// Making, parking and waking carriers.
#pragma once

#include "arch/x86_64/signal_frame.h"
#include "sched/carrier.h"

namespace green {

// The first carrier, for the process's own thread.
Carrier* AdoptMainCarrier(Task* main_task, Worker* w);
// Hands w to a spare carrier or a new one. False when none can be had.
bool GiveWorker(Worker* w);
// A bound task gets a carrier, a spare or a new one, and its number, and begins to run. The number,
// -EAGAIN or -ENOMEM.
long GiveTask(Task* t);
// What c's bound task holds as its worker.
Worker* OwnWorker(Carrier* c);
// c's bound task has ended: c becomes a spare, or its thread ends if there are plenty.
void FreeBoundCarrier(Carrier* c);
// A green task has become a bound one on the carrier that ran it.
void CountBound();
// A carrier without worker sleeps until it is given one.
void WaitForWorker(Carrier* c);
// Hands c's worker to another carrier if c is outside libgreen. False: there is none to be had.
bool Retake(Carrier* c);
// A thread of libgreen's that is no carrier; its GS base points to a Carrier of its own.
long StartHelperThread(void (*fn)(void*), void* arg);
void KickCarrier(Carrier* c);
// Where the kernel puts signals for c's thread, and telling it so from that thread.
StackBounds SignalStackOf(const Carrier* c);
void UseSignalStack(const Carrier* c);
// Every thread of libgreen's, helpers too, by next_all; skip those that have ended.
Carrier* FirstCarrier();
// That of the thread with that number, null if there is none.
Carrier* FindCarrier(uint32_t tid);
// Moves with every thread that is added.
uint32_t CarrierListVersion();
void ResetCarriersAfterFork();

}  // namespace green
