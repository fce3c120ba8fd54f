// Objects that dlopen(3) brings. dlopen itself is not interposed: it resolves names relative to
// its caller, which libgreen would then be. Instead the loader's own mmap of code sets a flag, and
// the end of one of the next system calls, back in the program's context, has the new object's
// system calls patched. The flag stays up while the loader has not listed the object yet.
#pragma once

namespace green {

// True from hook: new objects were found.
void SetNewCodeHook(bool (*hook)());
void NoteCodeMapped();
bool CodeMapped();
// Outside libgreen, with the program's vector registers live.
void LookAtNewCode();

}  // namespace green
