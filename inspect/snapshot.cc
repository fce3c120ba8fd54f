#include "inspect/snapshot.h"

#include <time.h>

#include <algorithm>
#include <cstring>
#include <unordered_set>

namespace green::inspect {
namespace {

constexpr uint32_t kMaxWorkers = 256;
constexpr size_t kMaxCarriers = 100'000;
constexpr uint32_t kParked = 1;
constexpr int64_t kNeverNs = INT64_MAX;

int64_t Now() {
  timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return ts.tv_sec * 1'000'000'000ll + ts.tv_nsec;
}

template <typename T>
T At(const char* object, uint32_t offset) {
  T v;
  std::memcpy(&v, object + offset, sizeof v);
  return v;
}

class Reader {
 public:
  Reader(const Memory& memory, const Runtime& runtime) : memory_(memory), t_(runtime.tables) {}

  Snapshot Take(Detail detail) {
    ReadCounters();
    if (detail == Detail::kTasks) {
      ReadTasks();
      ReadCalls();
      ReadSites();
    }
    return std::move(snapshot_);
  }

  Snapshot TakeSome(uint32_t wanted, std::mt19937& random) {
    ReadCounters();
    const uint64_t used = std::min(Word<uint32_t>(t_.tasks_used), t_.max_tasks);
    const uint64_t slots = wanted * used / std::max(1u, snapshot_.alive) + 1;
    if (slots >= used / 4) {
      ReadTasks();
    } else {
      ReadSlots(used, slots, random);
      snapshot_.each = static_cast<double>(used) / static_cast<double>(slots);
    }
    ReadCalls();
    return std::move(snapshot_);
  }

  Snapshot TakeThese(const std::vector<uint64_t>& addresses) {
    ReadCounters();
    ReadThese(addresses, true);
    return std::move(snapshot_);
  }

  std::vector<std::optional<TaskView>> TakeParked(const std::vector<uint64_t>& addresses) {
    snapshot_.uptime_ms = (Now() - t_.started_ns) / 1'000'000;
    const std::vector<size_t> which = ReadThese(addresses, false);
    std::vector<std::optional<TaskView>> all(addresses.size());
    for (size_t i = 0; i < which.size(); ++i) all[which[i]] = std::move(snapshot_.tasks[i]);
    return all;
  }

 private:
  template <typename T>
  T Word(uint64_t address) {
    T v = 0;
    memory_.Read(address, &v);
    return v;
  }

  void ReadCounters() {
    snapshot_.now_ns = Now();
    ReadScalars();
    ReadCarriers();
    ReadWorkers();
    ReadBound();
  }

  void ReadScalars() {
    uint32_t pid = 0, alive = 0, idle = 0, global = 0, turns = 0, urgent = 0, polls = 0;
    std::vector<Piece> words = {{t_.pid, &pid, 4},
                                {t_.tasks_alive, &alive, 4},
                                {t_.idle_workers, &idle, 4},
                                {t_.global_queue, &global, 4},
                                {t_.turns_queue, &turns, 4},
                                {t_.urgent_queue, &urgent, 4},
                                {t_.polls, &polls, 4},
                                {t_.worker_count, &worker_count_, 4},
                                {t_.carriers, &first_carrier_, 8}};
    memory_.ReadMany(words);
    snapshot_.pid = pid;
    snapshot_.uptime_ms = std::max<int64_t>(0, (snapshot_.now_ns - t_.started_ns) / 1'000'000);
    snapshot_.slice_ns = t_.slice_ns;
    snapshot_.max_carriers = t_.max_carriers;
    snapshot_.alive = alive;
    snapshot_.idle_workers = idle;
    snapshot_.global_queue = global + turns;
    snapshot_.urgent_queue = urgent;
    snapshot_.polls = polls;
  }

  void ReadSites() {
    const InspectSites& s = t_.sites;
    std::string all(size_t{s.size} * s.count, '\0');
    if (!memory_.Read(s.sites, all.data(), all.size())) return;
    for (uint32_t i = 0; i < s.count; ++i) {
      const char* p = all.data() + size_t{s.size} * i;
      const uint64_t key = At<uint64_t>(p, s.key);
      const SiteView site = {static_cast<int>(key >> 60), static_cast<uint32_t>(key >> 48 & 0xfff),
                             key & ((uint64_t{1} << 48) - 1), At<uint64_t>(p, s.counter),
                             At<uint64_t>(p, s.time)};
      if (site.kind == SiteView::kFound || site.kind == SiteView::kUnseen)
        snapshot_.sites.push_back(site);
      if (site.kind == SiteView::kBlocked || site.kind == SiteView::kBlockedMutex)
        snapshot_.blocked.push_back(site);
    }
    std::stable_sort(
        snapshot_.blocked.begin(), snapshot_.blocked.end(),
        [](const SiteView& a, const SiteView& b) { return a.blocked_ms > b.blocked_ms; });
    std::stable_sort(snapshot_.sites.begin(), snapshot_.sites.end(),
                     [](const SiteView& a, const SiteView& b) { return a.count > b.count; });
  }

  void ReadCarriers() {
    const InspectCarrier& c = t_.carrier;
    std::string object(c.size, '\0');
    uint64_t at = first_carrier_;
    while (at && snapshot_.carriers.size() < kMaxCarriers && !carrier_at_.contains(at) &&
           memory_.Read(at, object.data(), object.size())) {
      const char* p = object.data();
      CarrierView view;
      view.address = at;
      view.tid = At<uint32_t>(p, c.tid);
      view.task = At<uint64_t>(p, c.task);
      view.in_green = At<uint8_t>(p, c.in_green);
      view.in_syscall = At<uint8_t>(p, c.in_syscall);
      view.helper = At<uint8_t>(p, c.helper);
      view.call_number = At<uint32_t>(p, c.call_number);
      view.retaken = At<uint64_t>(p, c.retaken);
      carrier_at_[at] = static_cast<int>(snapshot_.carriers.size());
      worker_of_.push_back(At<uint64_t>(p, c.worker));
      if (const uint64_t own = At<uint64_t>(p, c.own)) own_.push_back(own);
      snapshot_.carriers.push_back(view);
      at = At<uint64_t>(p, c.next);
    }
  }

  void AddCounters(const char* p, WorkerView* to) {
    const InspectWorker& w = t_.worker;
    to->switches += At<uint64_t>(p, w.switches);
    to->spawned += At<uint64_t>(p, w.spawned);
    to->steals += At<uint64_t>(p, w.steals);
    to->preemptions += At<uint64_t>(p, w.preemptions);
    to->handoffs += At<uint64_t>(p, w.handoffs);
    to->parked_futex += At<uint64_t>(p, w.parked_futex);
    to->parked_fd += At<uint64_t>(p, w.parked_fd);
    to->parked_sleep += At<uint64_t>(p, w.parked_sleep);
    for (uint32_t b = 0; b < kDelayBuckets; ++b) to->delays[b] += At<uint64_t>(p, w.delays + 8 * b);
  }

  void ReadBound() {
    std::string object(t_.worker.size, '\0');
    for (uint64_t own : own_)
      if (memory_.Read(own, object.data(), object.size()))
        AddCounters(object.data(), &snapshot_.bound);
  }

  void ReadWorkers() {
    const InspectWorker& w = t_.worker;
    const uint32_t count = std::min(worker_count_, kMaxWorkers);
    std::string all(size_t{count} * w.size, '\0');
    if (!memory_.Read(t_.workers, all.data(), all.size())) return;
    for (uint32_t i = 0; i < count; ++i) {
      WorkerView view;
      view.address = t_.workers + uint64_t{i} * w.size;
      const char* p = all.data() + size_t{i} * w.size;
      auto carrier = carrier_at_.find(At<uint64_t>(p, w.carrier));
      if (carrier != carrier_at_.end()) view.carrier = carrier->second;
      const uint8_t state = At<uint8_t>(p, w.state);
      view.state = state == 1   ? WorkerView::kIdle
                   : state == 2 ? WorkerView::kPolling
                   : state == 3 ? WorkerView::kRetired
                                : WorkerView::kRunning;
      const uint32_t queued = At<uint32_t>(p, w.queue_tail) - At<uint32_t>(p, w.queue_head);
      view.queued = queued > 4096 ? 0 : queued;  // torn
      view.next = At<uint64_t>(p, w.next) != 0;
      AddCounters(p, &view);
      snapshot_.workers.push_back(view);
    }
    for (size_t i = 0; i < worker_of_.size(); ++i) {
      const uint64_t index = (worker_of_[i] - t_.workers) / w.size;
      if (worker_of_[i] >= t_.workers && index < snapshot_.workers.size())
        snapshot_.carriers[i].worker = static_cast<int>(index);
    }
  }

  // Addresses of the table's chunks that hold the first `used` slots.
  std::vector<uint64_t> Chunks(uint64_t used) {
    std::vector<uint64_t> addresses((used + t_.chunk_tasks - 1) / t_.chunk_tasks);
    if (!memory_.Read(t_.task_chunks, addresses.data(), addresses.size() * 8)) addresses.clear();
    return addresses;
  }

  // One slot of each of so many parts of the table.
  void ReadSlots(uint64_t used, uint64_t slots, std::mt19937& random) {
    constexpr uint64_t kAtOnce = 1024;
    const std::vector<uint64_t> chunks = Chunks(used);
    if (chunks.empty()) return;
    std::string objects(size_t{t_.task.size} * std::min(slots, kAtOnce), '\0');
    std::vector<Piece> pieces;
    // A part may begin and end within a slot, whose chances then add up.
    std::uniform_real_distribution<double> part(
        0, static_cast<double>(used) / static_cast<double>(slots));
    for (uint64_t i = 0; i < slots; ++i) {
      const double at = static_cast<double>(i) * part.max() + part(random);
      const uint64_t slot = std::min(static_cast<uint64_t>(at), used - 1);
      const uint64_t address =
          chunks[slot / t_.chunk_tasks] + slot % t_.chunk_tasks * uint64_t{t_.task.size};
      pieces.push_back({address, objects.data() + pieces.size() * t_.task.size, t_.task.size});
      if (pieces.size() < kAtOnce && i + 1 < slots) continue;
      memory_.ReadMany(pieces);
      for (const Piece& piece : pieces) {
        const auto p = static_cast<const char*>(piece.to);
        if (piece.read && At<uint8_t>(p, t_.task.alive) == 1) AddTask(p, piece.address);
      }
      pieces.clear();
    }
  }

  void ReadTasks() {
    const uint32_t used = std::min(Word<uint32_t>(t_.tasks_used), t_.max_tasks);
    const std::vector<uint64_t> addresses = Chunks(used);
    const auto chunks = static_cast<uint32_t>(addresses.size());
    std::string chunk(size_t{t_.task.size} * t_.chunk_tasks, '\0');
    std::unordered_set<uint64_t> seen;
    uint32_t unreadable = 0;
    for (uint32_t i = 0; i < chunks; ++i) {
      const uint32_t count = std::min(t_.chunk_tasks, used - i * t_.chunk_tasks);
      if (!seen.insert(addresses[i]).second ||
          !memory_.Read(addresses[i], chunk.data(), size_t{t_.task.size} * count)) {
        if (++unreadable == 4) return;  // the process ends, or the table is none
        continue;
      }
      for (uint32_t k = 0; k < count; ++k) {
        const char* p = chunk.data() + size_t{t_.task.size} * k;
        if (At<uint8_t>(p, t_.task.alive) == 1) AddTask(p, addresses[i] + size_t{t_.task.size} * k);
      }
    }
  }

  // Those that are alive, and, where running ones are not wanted, on no carrier: which of the
  // addresses are theirs.
  std::vector<size_t> ReadThese(const std::vector<uint64_t>& addresses, bool running) {
    std::string objects(addresses.size() * t_.task.size, '\0');
    std::vector<Piece> pieces;
    for (size_t i = 0; i < addresses.size(); ++i)
      pieces.push_back({addresses[i], objects.data() + i * t_.task.size, t_.task.size});
    memory_.ReadMany(pieces);
    std::vector<size_t> which;
    for (size_t i = 0; i < pieces.size(); ++i) {
      const char* p = objects.data() + i * t_.task.size;
      if (!pieces[i].read || At<uint8_t>(p, t_.task.alive) != 1 ||
          (!running && At<uint64_t>(p, t_.task.carrier)))
        continue;
      AddTask(p, addresses[i]);
      which.push_back(i);
    }
    ReadCalls();
    return which;
  }

  void AddTask(const char* p, uint64_t address) {
    const InspectTask& t = t_.task;
    TaskView v;
    v.address = address;
    v.tid = At<uint32_t>(p, t.tid);
    v.name = Printable(std::string_view(p + t.name, strnlen(p + t.name, 16)));
    const uint8_t reason = At<uint8_t>(p, t.reason);
    v.reason = reason < kReasons ? static_cast<Reason>(reason) : Reason::kNone;
    v.switches = At<uint32_t>(p, t.switches);
    const auto now_ms = static_cast<uint32_t>(snapshot_.uptime_ms);
    v.since_ms = std::max<int64_t>(0, static_cast<int32_t>(now_ms - At<uint32_t>(p, t.since_ms)));
    const int64_t deadline = At<int64_t>(p, t.deadline);
    if (At<uint64_t>(p, t.timer) && deadline > 0 && deadline < kNeverNs) v.deadline_ns = deadline;
    v.cpu_ns = std::max<int64_t>(0, At<int64_t>(p, t.cpu_ns));
    v.fs_base = At<uint64_t>(p, t.fs_base);
    v.context = At<uint64_t>(p, t.context);
    v.tid_word = At<uint64_t>(p, t.clear_child_tid);
    v.pending = At<uint64_t>(p, t.pending);
    v.blocked = At<uint64_t>(p, t.mask);
    v.waiting_for = At<uint64_t>(p, t.waiting_for);
    v.bound = At<uint8_t>(p, t.bound);
    v.nice = At<int32_t>(p, t.nice);
    v.policy = At<int32_t>(p, t.policy);
    v.state = At<uint32_t>(p, t.state) & kParked ? TaskState::kWaiting : TaskState::kReady;
    auto carrier = carrier_at_.find(At<uint64_t>(p, t.carrier));
    if (carrier != carrier_at_.end() && snapshot_.carriers[carrier->second].task == address) {
      const CarrierView& c = snapshot_.carriers[carrier->second];
      v.carrier = carrier->second;
      v.worker = c.worker;
      v.state = c.in_syscall && !c.in_green ? TaskState::kInKernel : TaskState::kRunning;
    }
    if (!v.switches && v.state != TaskState::kInKernel) v.since_ms = -1;
    frames_.push_back(At<uint64_t>(p, t.frame) & ~uint64_t{1});
    snapshot_.tasks.push_back(std::move(v));
  }

  // The calls of those that wait in one. A task is looked at once more afterwards: if it has
  // switched meanwhile, the frame may be another call's.
  void ReadCalls() {
    const InspectFrame& f = t_.frame;
    std::vector<size_t> which;
    for (size_t i = 0; i < snapshot_.tasks.size(); ++i) {
      const TaskView& v = snapshot_.tasks[i];
      // A bound task's waits are the kernel's; whether it waits is told by /proc (target.cc).
      const bool in_call = v.state == TaskState::kInKernel || v.bound ||
                           (v.state != TaskState::kRunning && v.reason != Reason::kNone &&
                            v.reason != Reason::kPreempted);
      if (in_call && frames_[i]) which.push_back(i);
    }
    std::string frames(which.size() * f.size, '\0');
    std::vector<uint32_t> switches(which.size());
    std::vector<Piece> pieces;
    for (size_t n = 0; n < which.size(); ++n)
      pieces.push_back({frames_[which[n]], frames.data() + n * f.size, f.size});
    memory_.ReadMany(pieces);
    std::vector<Piece> again;
    for (size_t n = 0; n < which.size(); ++n)
      again.push_back({snapshot_.tasks[which[n]].address + t_.task.switches, &switches[n], 4});
    memory_.ReadMany(again);
    for (size_t n = 0; n < which.size(); ++n) {
      TaskView& v = snapshot_.tasks[which[n]];
      if (pieces[n].read && again[n].read && switches[n] == v.switches)
        v.in_call = Decode(frames.data() + n * f.size, frames_[which[n]], &v.call);
    }
  }

  bool Decode(const char* p, uint64_t address, Call* call) {
    const InspectFrame& f = t_.frame;
    const uint64_t back = At<uint64_t>(p, f.slot_return);
    if (back < t_.slots_begin || back >= t_.slots_end) return false;
    call->site = SiteOf(back & ~uint64_t{f.slot_mask});
    // The slot of calls from anywhere: where this one goes on lies behind the slot's address.
    if (!call->site && f.slot_return + 16 <= f.size)
      call->site = At<uint64_t>(p, f.slot_return + 8);
    call->number = At<int64_t>(p, f.number);
    call->args = {At<uint64_t>(p, f.rdi), At<uint64_t>(p, f.rsi), At<uint64_t>(p, f.rdx),
                  At<uint64_t>(p, f.r10), At<uint64_t>(p, f.r8),  At<uint64_t>(p, f.r9)};
    call->rsp = address + f.program_rsp;
    call->rbp = At<uint64_t>(p, f.rbp);
    call->rbx = At<uint64_t>(p, f.rbx);
    call->r12 = At<uint64_t>(p, f.r12);
    call->r13 = At<uint64_t>(p, f.r13);
    call->r14 = At<uint64_t>(p, f.r14);
    call->r15 = At<uint64_t>(p, f.r15);
    return true;
  }

  uint64_t SiteOf(uint64_t slot) {
    auto [known, fresh] = sites_.try_emplace(slot, 0);
    if (fresh) memory_.Read(slot + t_.frame.slot_site, &known->second);
    return known->second;
  }

  const Memory& memory_;
  const Inspect& t_;
  Snapshot snapshot_;
  std::unordered_map<uint64_t, int> carrier_at_;
  std::vector<uint64_t> worker_of_, own_;
  std::vector<uint64_t> frames_;
  std::unordered_map<uint64_t, uint64_t> sites_;
  uint32_t worker_count_ = 0;
  uint64_t first_carrier_ = 0;
};

}  // namespace

const char* NameOf(TaskState state) {
  switch (state) {
    case TaskState::kRunning: return "running";
    case TaskState::kInKernel: return "in kernel";
    case TaskState::kReady: return "ready";
    default: return "waiting";
  }
}

const char* NameOf(Reason reason) {
  static constexpr const char* kNames[kReasons] = {"none",   "futex",   "fd",    "sleep",    "join",
                                                   "signal", "blocked", "yield", "preempted"};
  return kNames[static_cast<int>(reason)];
}

uint64_t Snapshot::Sum(uint64_t WorkerView::*counter) const {
  uint64_t sum = bound.*counter;
  for (const WorkerView& w : workers) sum += w.*counter;
  return sum;
}

uint64_t Snapshot::Retaken() const {
  uint64_t sum = 0;
  for (const CarrierView& c : carriers) sum += c.retaken;
  return sum;
}

size_t Snapshot::Employed() const {
  return static_cast<size_t>(std::count_if(workers.begin(), workers.end(), [](const WorkerView& w) {
    return w.state != WorkerView::kRetired;
  }));
}

size_t Snapshot::Count(TaskState state) const {
  return static_cast<size_t>(std::count_if(tasks.begin(), tasks.end(),
                                           [&](const TaskView& t) { return t.state == state; }));
}

size_t Snapshot::Waiting(Reason reason) const {
  return static_cast<size_t>(std::count_if(tasks.begin(), tasks.end(), [&](const TaskView& t) {
    return t.state == TaskState::kWaiting && t.reason == reason;
  }));
}

const TaskView* Snapshot::Find(uint32_t tid) const {
  for (const TaskView& t : tasks)
    if (t.tid == tid) return &t;
  return nullptr;
}

Snapshot TakeSnapshot(const Memory& memory, const Runtime& runtime, Detail detail) {
  return Reader(memory, runtime).Take(detail);
}

Snapshot TakeSample(const Memory& memory, const Runtime& runtime, uint32_t wanted,
                    std::mt19937& random) {
  return Reader(memory, runtime).TakeSome(wanted, random);
}

Snapshot TakeThese(const Memory& memory, const Runtime& runtime,
                   const std::vector<uint64_t>& addresses) {
  return Reader(memory, runtime).TakeThese(addresses);
}

std::vector<std::optional<TaskView>> LookAgain(const Memory& memory, const Runtime& runtime,
                                               const std::vector<uint64_t>& addresses) {
  return Reader(memory, runtime).TakeParked(addresses);
}

std::string Printable(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  return out;
}

}  // namespace green::inspect
