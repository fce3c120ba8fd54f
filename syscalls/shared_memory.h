// Which memory other processes may share: a futex there is the kernel's, so that they meet on it.
// Ranges only ever grow: a stale one costs speed, a missing one would cost a wake-up.
#pragma once

#include <cstdint>

namespace green {

bool IsSharedMemory(const void* p);
bool SharesMemory();  // some of it
// Who waits on a word that processes share waits in the kernel; so do bound tasks among themselves.
void WakeInKernel(uint32_t* word);
void NoteSharedRange(const void* begin, const void* end);
// Reads /proc/self/maps, once at start. A mapping at `ours` does not count.
void FindSharedRanges(const void* ours);
// Another process runs in all of this memory (clone with CLONE_VM alone, as a leak checker makes to
// stop the others): from then on plain waits are the kernel's too, and wakes look there as well.
void NoteSharedVm();
// In a forked child: the holder of the lock may be gone.
void ResetSharedMemoryAfterFork();

}  // namespace green
