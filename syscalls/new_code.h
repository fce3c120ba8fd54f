// Objects that dlopen(3) brings. dlopen itself is not interposed: it resolves names relative to
// its caller, which libgreen would then be. Instead the loader's own mmap of code marks the task,
// and each of its next system calls, before and after, in the program's context, looks for a new
// object and has its system calls patched, until one was found: the loader lists an object some
// calls after it has mapped it, and before it protects the relocated part (elf/dl-load.c,
// elf/dl-reloc.c). Nobody can learn of the object by a system call before it is patched. Only the
// task that maps looks: another one's look could miss the object, or still be at work when the
// object's code first runs.
#pragma once

#include "sched/scheduler.h"

namespace green {

// True from hook: new objects were found.
void SetNewCodeHook(bool (*hook)());
// By the current task.
void NoteCodeMapped();
inline bool HasMappedCode(const Task* t) { return __builtin_expect(t->new_code_looks != 0, 0); }
// Outside libgreen, with the program's vector registers live.
void LookAtNewCode();

}  // namespace green
