// What code lies at an address, for reports: by /proc/self/maps (proc(5)) and the ELF files' own
// symbol tables, read with raw system calls into memory of its own. No lock of libc's or of the
// loader's, no malloc: it may be asked anywhere. Files are read for one asker at a time; who finds
// another there is told what was known before, if anything.
#pragma once

#include <cstddef>
#include <cstdint>

namespace green {

// "function (file)" or "file+0x123"; an address of no file as a number. Always ends in a 0.
void NameOfCode(uintptr_t address, char* out, size_t size);

// Copies n bytes of this process; false if they are not all there. The one by system call is for
// anyone.
using CopyMemory = bool (*)(void* to, const void* from, size_t n);
bool CopyBySystemCall(void* to, const void* from, size_t n);

// Whether the call before return_address goes to the function that has `site`.
using LeadsTo = bool (*)(uintptr_t return_address, uintptr_t site);

// The innermost return address into the program, among the first words of a stack from `rsp` on; 0
// if there is none. A look at the words alone, without unwind tables: what a function has left
// there earlier may be taken for its caller. So one that leads to `site`, where the stack's owner
// is in libc, is preferred to one that lies shortly before it; null: not known. The stack may end
// anywhere; one that does not `stay` may go away meanwhile.
uintptr_t FindCaller(uintptr_t rsp, bool stays, CopyMemory copy, LeadsTo leads_to = nullptr,
                     uintptr_t site = 0);

// Reads it before the first search. Who searches while another thread reads it for the first time
// finds no one.
void PrepareCodeMap();
// Libraries have come, or gone.
void ForgetCodeMap();
void ResetCodeMapAfterFork();

}  // namespace green
