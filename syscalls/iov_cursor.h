// A place in the program's vector of buffers.
#pragma once

#include <sys/uio.h>

#include "arch/x86_64/user_memory.h"

namespace green {

// Where a partly transferred vector goes on.
struct IovCursor {
  const iovec* iov;
  size_t count;
  size_t offset;
  void Advance(size_t n) {
    while (n) {
      iovec v;
      if (!count || !CopyIn(&v, iov)) return;
      const size_t left = v.iov_len - offset;
      if (n < left) {
        offset += n;
        return;
      }
      n -= left;
      offset = 0;
      ++iov;
      --count;
    }
  }
};

constexpr size_t kMaxVector = 1024;  // UIO_MAXIOV

// False for a vector that the kernel refuses.
inline bool TotalLength(const iovec* iov, size_t count, size_t* total) {
  *total = 0;
  if (count > kMaxVector) return false;
  for (size_t i = 0; i < count; ++i) {
    iovec v;
    if (!CopyIn(&v, iov + i) || v.iov_len >> 46) return false;
    *total += v.iov_len;
  }
  return true;
}

}  // namespace green
