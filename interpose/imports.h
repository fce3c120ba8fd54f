// Which functions the loaded objects ask the loader for.
#pragma once

#include <initializer_list>

namespace green {

// True if some loaded object, other than libc, has an undefined symbol of one of these names. Runs
// where dl_iterate_phdr may be called.
bool SomeObjectImports(std::initializer_list<const char*> names);

}  // namespace green
