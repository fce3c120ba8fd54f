#include "sched/file_owners.h"

#include <linux/kcmp.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"
#include "base/spin_lock.h"
#include "sched/state.h"

namespace green {
namespace {

constexpr int kMost = 256;  // of one process

struct Entry {
  int fd;
  FileOwner owner;
};

SpinLock g_lock;
constinit Entry g_entries[kMost] = {};
int g_used = 0;               // entries that were ever in use
std::atomic<int> g_owned{0};  // files: mostly none

// The owner is the open file's, whichever of its numbers it was told by (fcntl(2)).
bool IsSameFile(int a, int b) {
  return a == b || RawSyscall(SYS_kcmp, g_sched.pid, g_sched.pid, KCMP_FILE, a, b) == 0;
}

Entry* Find(int fd) {
  for (int i = 0; i < g_used; ++i)
    if (g_entries[i].owner.tid && g_entries[i].fd == fd) return &g_entries[i];
  for (int i = 0; i < g_used; ++i)
    if (g_entries[i].owner.tid && IsSameFile(fd, g_entries[i].fd)) return &g_entries[i];
  return nullptr;
}

Entry* FindFree() {
  for (int i = 0; i < g_used; ++i)
    if (!g_entries[i].owner.tid) return &g_entries[i];
  return g_used < kMost ? &g_entries[g_used++] : nullptr;
}

// What the kernel tells with a signal for a file: POLL_IN and its kin, the events, the number.
struct FileSignal {
  int signo, error, code, padding;
  int64_t band;
  int fd;
};

}  // namespace

bool SetFileOwner(int fd, FileOwner owner) {
  LockGuard guard(g_lock);
  Entry* e = Find(fd);
  g_owned.fetch_add((owner.tid != 0) - (e != nullptr), std::memory_order_relaxed);
  if (!e && owner.tid) e = FindFree();
  if (e) *e = {e->owner.tid ? e->fd : fd, owner};
  if (e || !owner.tid) return true;
  g_owned.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

FileOwner OwnerOfFile(int fd) {
  if (!g_owned.load(std::memory_order_relaxed)) return {};
  LockGuard guard(g_lock);
  const Entry* e = Find(fd);
  return e ? e->owner : FileOwner{};
}

Task* OwnerOfSignal(SigInfo* info) {
  if (info->Code() < POLL_IN || info->Code() > POLL_HUP) return nullptr;
  if (info->Signo() != SIGIO && info->Signo() < SIGRTMIN) return nullptr;
  const FileOwner owner = OwnerOfFile(reinterpret_cast<const FileSignal*>(info->bytes)->fd);
  Task* t = owner.tid ? FindTask(owner.tid) : nullptr;
  if (t && owner.plain) {
    *info = {};
    auto plain = reinterpret_cast<FileSignal*>(info->bytes);
    plain->signo = SIGIO;
    plain->code = SI_KERNEL;
  }
  return t;
}

void ResetFileOwnersAfterFork() {
  g_lock.Reset();
  g_used = 0;
  g_owned.store(0, std::memory_order_relaxed);
}

}  // namespace green
