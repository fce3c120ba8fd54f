#include "sched/cpu_quota.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"

namespace green {
namespace {

// A file's beginning; empty when it cannot be read.
template <size_t kSize>
struct Text {
  explicit Text(const char* path) {
    const long fd = RawSyscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (IsError(fd)) return;
    const long n = RawSyscall(SYS_read, fd, bytes, kSize - 1);
    RawSyscall(SYS_close, fd);
    if (n > 0) bytes[n] = 0;
  }
  char bytes[kSize] = {};
};

class Path {
 public:
  Path& operator<<(const char* s) {
    while (*s && size_ < sizeof text_ - 1) text_[size_++] = *s++;
    text_[size_] = 0;
    return *this;
  }
  // Without the last component; false when none is left behind the first `least` bytes.
  bool Up(size_t least) {
    while (size_ > least && text_[size_ - 1] != '/') --size_;
    if (size_ <= least) return false;
    text_[--size_] = 0;
    return true;
  }
  const char* c_str() const { return text_; }
  size_t size() const { return size_; }

 private:
  size_t size_ = 0;
  char text_[512] = {};
};

// The number at *s, which moves behind it and the blanks that follow; -1: none.
long TakeNumber(const char** s) {
  if (**s < '0' || **s > '9') return -1;
  long v = 0;
  for (; **s >= '0' && **s <= '9'; ++*s)
    if (v < (1l << 50)) v = v * 10 + (**s - '0');
  while (**s == ' ') ++*s;
  return v;
}

uint32_t RoundUp(long quota, long period) {
  if (quota <= 0 || period <= 0) return 0;
  const long cpus = (quota + period - 1) / period;
  return static_cast<uint32_t>(cpus < 1 << 20 ? cpus : 1 << 20);
}

uint32_t QuotaAt(const Path& group) {
  Path file = group;
  const Text<64> v2((file << "/cpu.max").c_str());
  const char* s = v2.bytes;
  if (*s) {
    const long quota = TakeNumber(&s);  // or "max"
    return RoundUp(quota, TakeNumber(&s));
  }
  Path quota_file = group, period_file = group;
  const Text<64> quota((quota_file << "/cpu.cfs_quota_us").c_str());
  const Text<64> period((period_file << "/cpu.cfs_period_us").c_str());
  const char* q = quota.bytes;
  const char* p = period.bytes;
  return RoundUp(TakeNumber(&q), TakeNumber(&p));
}

// Of the group and all above it, down to the mount. In a container the path may be one of the
// host's, which is not there: then the mount is the group.
uint32_t TightestUpFrom(Path group, size_t mount_size) {
  uint32_t tightest = 0;
  do {
    const uint32_t cpus = QuotaAt(group);
    if (cpus && (!tightest || cpus < tightest)) tightest = cpus;
  } while (group.Up(mount_size));
  return tightest;
}

bool HasCpu(const char* controllers, const char* end) {
  for (const char* s = controllers; s < end; ++s) {
    const char* word = s;
    while (s < end && *s != ',') ++s;
    if (s - word == 3 && word[0] == 'c' && word[1] == 'p' && word[2] == 'u') return true;
  }
  return false;
}

}  // namespace

uint32_t CpusOfQuota(const char* membership, const char* mount) {
  Text<4096> lines(membership);
  uint32_t tightest = 0;
  for (char* line = lines.bytes; *line;) {  // number:controllers:path
    char* end = line;
    while (*end && *end != '\n') ++end;
    const bool last = !*end;
    *end = 0;
    char* controllers = line;
    while (*controllers && *controllers != ':') ++controllers;
    char* path = *controllers ? ++controllers : controllers;
    while (*path && *path != ':') ++path;
    const bool v2 = path == controllers;
    if (*path && (v2 || HasCpu(controllers, path))) {
      *path++ = 0;
      Path group;
      group << mount;
      if (!v2) group << "/" << controllers;
      const size_t mount_size = group.size();
      if (path[0] == '/' && path[1]) group << path;
      const uint32_t cpus = TightestUpFrom(group, mount_size);
      if (cpus && (!tightest || cpus < tightest)) tightest = cpus;
    }
    if (last) break;
    line = end + 1;
  }
  return tightest;
}

}  // namespace green
