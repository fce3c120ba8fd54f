// Code of the Go toolchain: its runtime schedules its own threads, on stacks of its own.
#pragma once

namespace green {

// True if a loaded object carries Go's build ID note. Runs where dl_iterate_phdr may be called.
bool HasGoCode();

}  // namespace green
