// Code on the stack, as gcc's nested functions put it there.
#pragma once

namespace green {

// Some loaded object wants to run code on its stack: its PT_GNU_STACK says so, or it has none
// (elf(5); libc's rule). Takes the loader's lock.
bool SomeObjectWantsExecutableStack();

}  // namespace green
