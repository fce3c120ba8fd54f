// What code lies at an address, for reports: by /proc/self/maps (proc(5)) and the ELF files' own
// symbol tables, read with raw system calls into memory of its own. No lock of libc's or of the
// loader's, no malloc: it may be asked anywhere. One asker at a time; who finds another there is
// told nothing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace green {

// "function (file)" or "file+0x123"; an address of no file as a number. Always ends in a 0.
void NameOfCode(uintptr_t address, char* out, size_t size);

// The innermost return address into the program, among the first words of a stack from `rsp` on; 0
// if there is none. A look at the words alone, without unwind tables: what a function has left
// there earlier may be taken for its caller, rarely. The stack may end anywhere; another thread's
// (not `mine`) may go away meanwhile.
uintptr_t FindCaller(uintptr_t rsp, bool mine);

// Libraries have come, or gone.
void ForgetCodeMap();
void ResetCodeMapAfterFork();

}  // namespace green
