// Where libc's code lies, for calls that mean another thing when the program makes them itself.
#pragma once

namespace green {

// Tells syscalls/threads.h. Runs where dl_iterate_phdr may be called.
void FindLibcCode();

}  // namespace green
