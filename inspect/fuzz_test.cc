// Tables as a hostile or dying process may show them: the reader ends, and stays within bounds.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

#include "inspect/trace.h"
#include "inspect/waits.h"

namespace green::inspect {
namespace {

// Any address can be read; what is there is the same every time, and mostly garbage of the kinds
// that hurt: zeros, ones, small numbers, addresses within the tables.
class HostileMemory : public Memory {
 public:
  explicit HostileMemory(uint32_t seed) : seed_(seed) {}
  bool Read(uint64_t address, void* to, size_t size) const override {
    std::mt19937_64 random(address * 2654435761u + seed_);
    if (random() % 64 == 0 || size > 32 << 20) return false;
    auto out = static_cast<char*>(to);
    for (size_t i = 0; i < size; i += 8) {
      uint64_t v;
      switch (random() % 6) {
        case 0: v = 0; break;
        case 1: v = ~uint64_t{0}; break;
        case 2: v = random() % 300; break;
        case 3: v = 0x10000 + random() % 16 * 8; break;
        case 4: v = 0x0101010101010101; break;
        default: v = random();
      }
      std::memcpy(out + i, &v, std::min<size_t>(8, size - i));
    }
    return true;
  }
  using Memory::Read;

  void set_seed(uint32_t seed) { seed_ = seed; }

 private:
  uint32_t seed_;
};

Inspect SomeTables(std::mt19937& random) {
  Inspect t = {};
  t.magic = kInspectMagic;
  t.version = kInspectVersion;
  t.size = sizeof t;
  uint64_t* addresses[] = {&t.pid,           &t.workers,      &t.worker_count, &t.idle_workers,
                           &t.task_chunks,   &t.tasks_used,   &t.tasks_alive,  &t.carriers,
                           &t.carrier_count, &t.global_queue, &t.urgent_queue, &t.turns_queue,
                           &t.coarse_ms,     &t.polls};
  for (uint64_t* a : addresses) *a = 0x10000 + random() % 64 * 8;
  t.slots_begin = 0;
  t.slots_end = ~uint64_t{0};
  t.chunk_tasks = 16 + random() % 64;
  t.max_tasks = random() % 20'000;
  t.task.size = 256;
  t.worker.size = 1024;
  t.carrier.size = 256;
  t.frame.size = 120;
  t.context = {64, 8, 16, 24, 32, 40, 48, 56};
  uint32_t* words[] = {&t.task.state, &t.carrier.task, &t.worker.carrier, &t.frame.number};
  const size_t counts[] = {sizeof t.task / 4 - 1, sizeof t.carrier / 4 - 1, sizeof t.worker / 4 - 1,
                           14};
  for (int k = 0; k < 4; ++k) {
    const uint32_t limit = words[k][-1] - 8;
    for (size_t i = 0; i < counts[k]; ++i) words[k][i] = random() % limit;
  }
  t.task.name = random() % 200;
  t.worker.delays = random() % 600;
  t.frame.program_rsp = 248;
  t.frame.slot_mask = 127;
  t.frame.slot_site = 104;
  t.trace = {.on = 0x10008,
             .until = 0x10010,
             .leaving = 0x10018,
             .seen = 0x10020,
             .unkept = 0x10028,
             .rings = 0x10030,
             .ring_count = static_cast<uint32_t>(random() % 9),
             .ring_size = 64,
             .head = static_cast<uint32_t>(random() % 56),
             .events = static_cast<uint32_t>(random() % 56),
             .capacity = 64u << random() % 5,
             .event_size = sizeof(TraceEvent)};
  t.sites = {.sites = 0x10038,
             .count = static_cast<uint32_t>(random() % 2000),
             .size = 24,
             .key = static_cast<uint32_t>(random() % 16),
             .counter = static_cast<uint32_t>(random() % 16),
             .time = static_cast<uint32_t>(random() % 16)};
  return t;
}

TEST(FuzzTest, EndsOnHostileTables) {
  size_t tasks = 0;
  for (uint32_t seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    HostileMemory memory(seed);
    Runtime runtime = {RuntimeState::kRunning, SomeTables(random)};
    ASSERT_TRUE(Plausible(runtime.tables));
    const Snapshot s = TakeSnapshot(memory, runtime, Detail::kTasks);
    tasks += s.tasks.size();
    TakeSample(memory, runtime, 1 + seed * 10, random);
    Waits waits(memory, s, nullptr);
    for (const TaskView& t : s.tasks) {
      for (char c : t.name + waits.Of(t).text) ASSERT_TRUE(c >= 0x20 && c < 0x7f);
    }
    waits.Cycles();
    waits.AllStuck();
  }
  EXPECT_GT(tasks, 100u);  // or nothing was tried
}

TEST(FuzzTest, ReadsHostileRings) {
  constexpr size_t kMost = 5000;
  size_t events = 0;
  uint64_t lost = 0;
  for (uint32_t seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    const Inspect tables = SomeTables(random);
    HostileMemory memory(seed);
    TraceReader reader(memory, tables.trace);
    std::vector<TracedEvent> out;
    reader.Renew();
    // Each time with other heads.
    for (uint32_t i = 0; i < 5; ++i) {
      memory.set_seed(seed * 5 + i);
      if (!reader.Read(&out, kMost)) break;
    }
    ASSERT_LE(out.size(), kMost);
    for (const TracedEvent& e : out) ASSERT_LT(e.worker, 9);
    events += out.size();
    lost += reader.lost();
  }
  EXPECT_GT(lost, 1000u);  // or nothing was tried
}

TEST(FuzzTest, TellsImpossibleDescriptions) {
  std::mt19937 random(1);
  const Inspect good = SomeTables(random);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    Inspect bad = good;
    auto bytes = reinterpret_cast<unsigned char*>(&bad);
    for (int k = 0; k < 4; ++k) bytes[random() % sizeof bad] = static_cast<unsigned char>(random());
    if (!Plausible(bad)) {
      ++refused;
      continue;
    }
    // Whatever passes must be safe to use.
    HostileMemory memory(static_cast<uint32_t>(i));
    if (i % 200 == 0) TakeSnapshot(memory, {RuntimeState::kRunning, bad}, Detail::kTasks);
  }
  EXPECT_GT(refused, 1000);
}

TEST(FuzzTest, TakesNoHostileImageForALibrary) {
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    HostileMemory memory(seed);
    const std::vector<Mapping> maps = {
        {seed * 4096ull, seed * 4096ull + 4096, 0, true, false, 1, 1, "x"}};
    EXPECT_NE(FindRuntime(memory, maps).state, RuntimeState::kRunning);
  }
}

}  // namespace
}  // namespace green::inspect
