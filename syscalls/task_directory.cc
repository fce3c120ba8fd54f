// getdents64(2) of /proc/self/task: the program's threads, where the kernel lists libgreen's. The
// file's position is the kernel's; what it means is ours: 0, 1 and 2 for ".", ".." and the main
// thread, which stays until the process ends, then one per task slot.
#include "syscalls/task_directory.h"

#include <dirent.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/append.h"
#include "syscalls/fd_info.h"
#include "syscalls/handlers.h"

namespace green {
namespace {

struct DirectoryEntry {  // linux_dirent64
  uint64_t inode;
  int64_t next;
  uint16_t size;
  uint8_t type;
  char name[13];
};
static_assert(sizeof(DirectoryEntry) == 32);
static_assert(offsetof(DirectoryEntry, size) == GREEN_DIRENT_SIZE);
static_assert(offsetof(DirectoryEntry, name) == GREEN_DIRENT_NAME);

// Fills the caller's buffer.
class Listing {
 public:
  Listing(char* buffer, size_t size, int64_t position)
      : buffer_(buffer), size_(size), position_(position) {}

  // The entry at `at`, unless it is before the position. False: no room, or no such memory.
  bool Add(int64_t at, uint32_t inode, const char* name) {
    if (at < position_) return true;
    DirectoryEntry e = {inode, at + 1, sizeof e, DT_DIR, {}};
    AppendText(e.name, name);
    if (size_ - used_ < sizeof e) {
      error_ = used_ ? 0 : -EINVAL;
      return false;
    }
    if (!CopyOut(buffer_ + used_, e)) {
      error_ = used_ ? 0 : -EFAULT;
      return false;
    }
    used_ += sizeof e;
    position_ = at + 1;
    return true;
  }
  bool AddThread(int64_t at, uint32_t tid) {
    char name[11];
    AppendNumber(name, tid);
    return Add(at, tid, name);
  }
  int64_t position() const { return position_; }
  long result() const { return error_ ? error_ : static_cast<long>(used_); }

 private:
  char* buffer_;
  size_t size_;
  size_t used_ = 0;
  int64_t position_;
  long error_ = 0;
};

struct Walk {
  Listing* listing;
  int64_t at;
  uint32_t pid;
};

void List(Listing* listing, uint32_t pid) {
  if (!listing->Add(0, 1, ".") || !listing->Add(1, 1, "..") || !listing->AddThread(2, pid)) return;
  Walk walk{listing, 3, pid};
  ForEachTask(
      [](Task* t, void* arg) {
        auto w = static_cast<Walk*>(arg);
        const int64_t at = w->at++;
        return !t->alive || t->tid == w->pid || w->listing->AddThread(at, t->tid);
      },
      &walk);
}

}  // namespace

bool IsTaskDirectory(int fd) {
  struct statfs fs;
  if (RawSyscall(SYS_fstatfs, fd, &fs) || fs.f_type != PROC_SUPER_MAGIC) return false;
  char link[32], wanted[32], target[32];
  AppendNumber(AppendText(link, "/proc/self/fd/"), static_cast<uint32_t>(fd));
  const char* end = AppendText(
      AppendNumber(AppendText(wanted, "/proc/"), static_cast<uint32_t>(RawSyscall(SYS_getpid))),
      "/task");
  if (RawSyscall(SYS_readlink, link, target, sizeof target) != end - wanted) return false;
  for (const char *a = wanted, *b = target; a < end; ++a, ++b)
    if (*a != *b) return false;
  return true;
}

namespace {

// Asking of every directory what it is would cost more than its listing. The kernel's, of threads,
// has a number's name among its first three; of the end of one, what was found before is known.
bool MayBeTaskDirectory(int fd, const char* entries, long size) {
  if (size == 0) {
    const FdState* s = FdStateOf(fd);
    const uint32_t flags = s ? s->flags.load(std::memory_order_relaxed) : 0;
    return !(flags & kOpened) || (flags & kThreads);
  }
  constexpr long kName = offsetof(DirectoryEntry, name);
  long at = 0;
  for (int n = 0; n < 3 && at + kName < size; ++n) {
    DirectoryEntry e = {};
    if (!green_copy(&e, entries + at, kName + 1)) return true;
    if (e.name[0] >= '1' && e.name[0] <= '9') return true;
    at += e.size;
  }
  return false;
}

// The position before the kernel's listing: its entries are one apart there.
int64_t PositionBefore(int fd, const char* entries, long size) {
  int64_t next;
  if (size && green_copy(&next, entries + offsetof(DirectoryEntry, next), sizeof next))
    return next - 1;
  return RawSyscall(SYS_lseek, fd, 0, SEEK_CUR);
}

}  // namespace

long ListTasksInstead(const SyscallFrame& f, long r) {
  const int fd = ArgInt(f, 0);
  const auto entries = ArgAs<char*>(f, 1);
  if (__builtin_expect(!MayBeTaskDirectory(fd, entries, r), 1)) return r;
  if (!IsTaskDirectory(fd)) return r;
  if (FdState* s = FdStateOf(fd)) s->flags.fetch_or(kThreads, std::memory_order_relaxed);
  Listing listing(entries, static_cast<uint32_t>(f.rdx), PositionBefore(fd, entries, r));
  List(&listing, static_cast<uint32_t>(RawSyscall(SYS_getpid)));
  RawSyscall(SYS_lseek, fd, listing.position(), SEEK_SET);
  return listing.result();
}

long SysGetdents64(SyscallFrame& f) {
  const long r = RawOutside(f);
  return r < 0 ? r : ListTasksInstead(f, r);
}

}  // namespace green
