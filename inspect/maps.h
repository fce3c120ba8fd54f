// What a process has mapped: /proc/PID/maps (proc(5)).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace green::inspect {

struct Mapping {
  uint64_t begin, end, offset;
  bool readable, executable;
  uint64_t device, inode;  // 0 for memory without a file
  std::string path;        // as the process sees it; may end in " (deleted)"
};

// Ascending; empty when the process is gone or not ours to look at.
std::vector<Mapping> ReadMaps(pid_t pid);
std::vector<Mapping> ParseMaps(const std::string& text);
// The mapping that holds address, or null.
const Mapping* FindMapping(const std::vector<Mapping>& maps, uint64_t address);

// A file of /proc, at most `limit` bytes of it.
std::string ReadProcFile(const std::string& path, size_t limit = 64 << 20);

}  // namespace green::inspect
