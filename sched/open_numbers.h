// Which descriptors are open. No file is asked.
#pragma once

#include <cstdint>

namespace green {

struct OpenNumbers {
  static constexpr int kCount = 256;  // what programs have open when they create their first thread

  OpenNumbers();
  bool Has(int fd) const { return bits_[fd / 64] >> (fd % 64) & 1; }

 private:
  uint64_t bits_[kCount / 64];
};

}  // namespace green
