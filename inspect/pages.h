// Memory by the page: what lies in code and its unwind tables is kept, stacks until they are
// forgotten.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "inspect/memory.h"

namespace green::inspect {

class Pages {
 public:
  explicit Pages(const Memory& memory) : memory_(memory) {}

  bool Word(uint64_t address, bool lasting, uint64_t* out);
  // Copies of so many whole pages from each address on, as far as they are there.
  void CopyStacks(const std::vector<uint64_t>& from, size_t bytes);
  void ForgetStacks() { stack_.clear(); }

 private:
  const Memory& memory_;
  std::unordered_map<uint64_t, std::string> lasting_, stack_;
};

}  // namespace green::inspect
