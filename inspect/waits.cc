#include "inspect/waits.h"

#include <poll.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstdio>
#include <set>

namespace green::inspect {
namespace {

struct CallName {
  int number;
  const char* name;
};
constexpr CallName kCalls[] = {
#define GREEN_SYSCALL(nr, name, treatment, handler, note) {nr, #name},
#include "syscalls/table.inc"
#undef GREEN_SYSCALL
};

// Calls that wait for the descriptor that is their first argument.
bool WaitsForFd(int64_t number) {
  constexpr int64_t kNumbers[] = {SYS_read,   SYS_write,   SYS_readv,      SYS_writev,
                                  SYS_accept, SYS_accept4, SYS_recvfrom,   SYS_recvmsg,
                                  SYS_sendto, SYS_sendmsg, SYS_epoll_wait, SYS_epoll_pwait};
  return std::find(std::begin(kNumbers), std::end(kNumbers), number) != std::end(kNumbers);
}

constexpr size_t kMaxPolled = 64;

std::string Hex(uint64_t v) {
  char text[24];
  std::snprintf(text, sizeof text, "%#lx", static_cast<unsigned long>(v));
  return text;
}

std::string Duration(int64_t ms) {
  char text[40];
  if (ms < 10'000)
    std::snprintf(text, sizeof text, "%ld.%03ld s", ms / 1000, ms % 1000);
  else
    std::snprintf(text, sizeof text, "%ld s", ms / 1000);
  return text;
}

WaitKind KindOf(LockKind kind) {
  switch (kind) {
    case LockKind::kMutex: return WaitKind::kMutex;
    case LockKind::kFileLock: return WaitKind::kFileLock;
    case LockKind::kRwlock: return WaitKind::kRwlock;
    case LockKind::kCondition: return WaitKind::kCondition;
    case LockKind::kSemaphore: return WaitKind::kSemaphore;
    case LockKind::kBarrier: return WaitKind::kBarrier;
    default: return WaitKind::kFutex;
  }
}

}  // namespace

std::string SyscallName(int64_t number) {
  for (const CallName& c : kCalls)
    if (c.number == number) return c.name;
  return "call " + std::to_string(number);
}

const char* NameOf(WaitKind kind) {
  switch (kind) {
    case WaitKind::kNone: return "none";
    case WaitKind::kFd: return "fd";
    case WaitKind::kSeveralFds: return "fds";
    case WaitKind::kSleep: return "sleep";
    case WaitKind::kJoin: return "join";
    case WaitKind::kMutex: return "mutex";
    case WaitKind::kFileLock: return "stdio lock";
    case WaitKind::kRwlock: return "rwlock";
    case WaitKind::kCondition: return "condition";
    case WaitKind::kSemaphore: return "semaphore";
    case WaitKind::kBarrier: return "barrier";
    case WaitKind::kFutex: return "futex";
    case WaitKind::kSignal: return "signal";
    case WaitKind::kCall: return "call";
    default: return "other";
  }
}

Waits::Waits(const Memory& memory, const Snapshot& snapshot, Descriptors* descriptors)
    : memory_(memory), snapshot_(snapshot), descriptors_(descriptors) {
  for (const TaskView& t : snapshot.tasks) {
    by_tid_[t.tid] = &t;
    by_fs_[t.fs_base] = &t;
    if (t.tid_word) by_tid_word_[t.tid_word] = &t;
  }
  owners_.by_tid = [this](uint32_t tid) { return by_tid_.contains(tid) ? tid : 0; };
  owners_.by_thread_pointer = [this](uint64_t fs_base) {
    auto holder = by_fs_.find(fs_base);
    return fs_base && holder != by_fs_.end() ? holder->second->tid : 0;
  };
}

std::string Waits::Task(uint32_t tid) const {
  std::string text = std::to_string(tid);
  auto found = by_tid_.find(tid);
  if (found != by_tid_.end() && !found->second->name.empty()) text += " " + found->second->name;
  return text;
}

void Waits::OfFutex(const TaskView& task, Wait* wait) {
  const Call& call = task.call;
  const uint64_t at = wait->address = call.args[0];
  wait->kind = WaitKind::kFutex;
  wait->text = "futex " + Hex(at);
  if (auto joined = by_tid_word_.find(at); joined != by_tid_word_.end()) {
    wait->kind = WaitKind::kJoin;
    wait->owner = joined->second->tid;
    wait->text = "the end of " + Task(wait->owner);
    return;
  }
  const Lock lock = FindLock(memory_, call.args.data(), owners_);
  if (lock.kind == LockKind::kNone) return;
  wait->kind = KindOf(lock.kind);
  wait->address = lock.address;
  wait->owner = lock.owner;
  wait->text = std::string(NameOf(wait->kind)) + " " + Hex(lock.address) + lock.more;
  if (lock.owner) wait->text += " held by " + Task(lock.owner);
}

void Waits::OfSeveralFds(const Call& call, Wait* wait) {
  wait->kind = WaitKind::kSeveralFds;
  std::vector<int> fds;
  if (call.number == SYS_poll || call.number == SYS_ppoll) {
    std::vector<pollfd> polled(std::min<uint64_t>(call.args[1], kMaxPolled));
    if (memory_.Read(call.args[0], polled.data(), polled.size() * sizeof(pollfd)))
      for (const pollfd& p : polled)
        if (p.fd >= 0) fds.push_back(p.fd);
  } else {
    std::set<int> all;
    for (int k = 1; k <= 3; ++k) {
      uint64_t words[16] = {};
      const uint64_t bits = std::min<uint64_t>(call.args[0], 1024);
      if (!call.args[k] || !memory_.Read(call.args[k], words, (bits + 63) / 64 * 8)) continue;
      for (uint64_t b = 0; b < bits; ++b)
        if (words[b / 64] >> (b % 64) & 1) all.insert(static_cast<int>(b));
    }
    fds.assign(all.begin(), all.end());
  }
  if (fds.size() == 1) {
    wait->kind = WaitKind::kFd;
    wait->fd = fds[0];
    return;
  }
  wait->text = std::to_string(fds.size()) + " fds";
  for (size_t i = 0; i < fds.size() && i < 4; ++i)
    wait->text += (i ? ", " : ": ") + std::to_string(fds[i]);
  if (fds.size() > 4) wait->text += ", ...";
}

Wait Waits::Of(const TaskView& task) {
  Wait wait;
  if (task.in_call) wait.call = SyscallName(task.call.number);
  if (task.state == TaskState::kRunning) return wait;
  if (task.state == TaskState::kReady) {
    wait.text = task.reason == Reason::kPreempted ? "preempted" : "";
    return wait;
  }
  wait.kind = WaitKind::kOther;
  wait.text = NameOf(task.reason);
  if (task.state == TaskState::kInKernel) {
    wait.kind = WaitKind::kCall;
    wait.text = wait.call.empty() ? "a system call" : wait.call;
    if (task.bound && task.in_call && task.call.number == SYS_futex) OfFutex(task, &wait);
    if (task.bound && task.in_call && WaitsForFd(task.call.number)) {
      wait.kind = WaitKind::kFd;
      wait.fd = static_cast<int>(task.call.args[0]);
    }
  }
  if (task.state == TaskState::kWaiting && task.deadline_ns) {
    wait.timed = true;
    wait.left_ms = (task.deadline_ns - snapshot_.now_ns) / 1'000'000;
  }
  if (task.in_call && task.state == TaskState::kWaiting) {
    switch (task.reason) {
      case Reason::kFutex: OfFutex(task, &wait); break;
      case Reason::kFd:
        if (task.call.number == SYS_poll || task.call.number == SYS_ppoll ||
            task.call.number == SYS_select || task.call.number == SYS_pselect6) {
          OfSeveralFds(task.call, &wait);
        } else {
          wait.kind = WaitKind::kFd;
          wait.fd = static_cast<int>(task.call.args[0]);
        }
        break;
      case Reason::kSleep: wait.kind = WaitKind::kSleep; break;
      case Reason::kSignal: wait.kind = WaitKind::kSignal; break;
      default: break;
    }
  }
  if (wait.kind == WaitKind::kFd) {
    wait.text = "fd " + std::to_string(wait.fd);
    if (descriptors_) wait.text += " " + descriptors_->Describe(wait.fd);
  }
  if (wait.timed) wait.text += ", " + Duration(std::max<int64_t>(0, wait.left_ms)) + " left";
  return wait;
}

std::vector<Cycle> Waits::Cycles() {
  std::unordered_map<uint32_t, uint32_t> waits_for;
  for (const TaskView& t : snapshot_.tasks) {
    if (t.state != TaskState::kWaiting || t.reason != Reason::kFutex || t.deadline_ns) continue;
    const Wait w = Of(t);
    if (w.owner && w.owner != t.tid) waits_for[t.tid] = w.owner;
  }
  std::vector<Cycle> cycles;
  std::set<uint32_t> done;
  for (const auto& [tid, owner] : waits_for) {
    Cycle path;
    std::set<uint32_t> on_path;
    uint32_t at = tid;
    while (!done.contains(at) && on_path.insert(at).second) {
      path.push_back(at);
      auto next = waits_for.find(at);
      if (next == waits_for.end()) break;
      at = next->second;
    }
    if (auto begin = std::find(path.begin(), path.end(), at);
        begin != path.end() && waits_for.contains(at) && !done.contains(at) && path.size() > 1 &&
        waits_for[path.back()] == at)
      cycles.emplace_back(begin, path.end());
    done.insert(path.begin(), path.end());
  }
  return cycles;
}

bool Waits::AllStuck() {
  if (snapshot_.tasks.empty()) return false;
  return std::all_of(snapshot_.tasks.begin(), snapshot_.tasks.end(), [](const TaskView& t) {
    return t.state == TaskState::kWaiting && t.reason == Reason::kFutex && !t.deadline_ns;
  });
}

}  // namespace green::inspect
