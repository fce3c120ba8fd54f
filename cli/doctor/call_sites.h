// The system calls of a file, and which of them libgreen can see: judged by the
// runtime's own code (interpose/sites.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace green::cli {

struct CallSites {
  struct Missed {
    std::string file;  // Its last part.
    std::string call;  // "read"; "a call known at run time only"
    std::string reason;
  };

  int objects = 0;
  int found = 0;
  int patched = 0;      // In a file: those that can be.
  int not_treated = 0;  // That libgreen leaves to the kernel anyway.
  std::vector<Missed> missed;
};

// Adds those of a file; false if it is no ELF file or cannot be read.
bool AddCallSites(const std::string& path, CallSites* sum);

// The same for the file as mapped by a process from address `lowest` on: patched are
// those whose code has really been replaced. `memory`: an open /proc/PID/mem.
bool AddCallSitesOf(const std::string& path, uintptr_t lowest, int memory, CallSites* sum);

}  // namespace green::cli
