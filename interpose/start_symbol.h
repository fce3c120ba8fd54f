// GREEN_BOUND by start symbol: does a thread's first function have a name from the list? Exported
// functions are known to the loader; static ones only to the symbol table of a file that was not
// stripped. C++ names are as in the file (nm(1)), mangled.
#pragma once

namespace green {

// Called by pthread_create, as part of the program: takes the loader's lock for a moment.
bool HasBoundName(const void* function);

}  // namespace green
