// A part of the tasks, drawn by lot, stands for all of them.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "inspect/snapshot.h"

namespace green::inspect {
namespace {

constexpr uint64_t kTables = 4096, kChunks = 8192;  // addresses
constexpr uint32_t kTask = 256, kSlots = 20'000, kInChunk = 64;

// A table of tasks, of which the first quarter of the slots is named "first"; of all, one of
// `alive_of` is alive.
class TableMemory : public Memory {
 public:
  explicit TableMemory(uint32_t alive_of) : table_(size_t{kSlots} * kTask, '\0') {
    const InspectTask& t = runtime_.tables.task;
    for (uint32_t i = 0; i < kSlots; ++i) {
      char* p = &table_[size_t{i} * kTask];
      if (i % alive_of) continue;
      p[t.alive] = 1;
      ++alive_;
      first_ += i < kSlots / 4;
      std::strcpy(p + t.name, i < kSlots / 4 ? "first" : "other");
    }
  }

  bool Read(uint64_t address, void* to, size_t size) const override {
    if (address == kTables) return Copy(&kSlots, 4, to, size);
    if (address == kTables + 8) return Copy(&alive_, 4, to, size);
    if (address < kChunks) return Copy("\0\0\0\0\0\0\0", 8, to, size);
    bytes_ += size;
    if (address < kChunks + 8 * kSlots) {
      for (size_t i = 0; i < size / 8; ++i) {
        const uint64_t chunk = TableAt((address - kChunks) / 8 + i);
        std::memcpy(static_cast<char*>(to) + 8 * i, &chunk, 8);
      }
      return true;
    }
    const uint64_t at = address - TableAt(0);
    if (at + size > table_.size()) return false;
    std::memcpy(to, &table_[at], size);
    return true;
  }

  const Runtime& runtime() const { return runtime_; }
  double alive() const { return alive_; }
  double first() const { return first_; }
  size_t bytes() const { return bytes_; }  // read of the table

 private:
  static uint64_t TableAt(uint64_t chunk) { return (1 << 20) + chunk * kInChunk * kTask; }
  static bool Copy(const void* from, size_t n, void* to, size_t size) {
    std::memcpy(to, from, std::min(n, size));
    return true;
  }
  static Runtime Described() {
    Runtime r;
    r.state = RuntimeState::kRunning;
    Inspect& t = r.tables;
    t.tasks_used = kTables;
    t.tasks_alive = kTables + 8;
    t.task_chunks = kChunks;
    t.chunk_tasks = kInChunk;
    t.max_tasks = kSlots;
    t.task.size = kTask;
    t.task.alive = 8;
    t.task.name = 16;
    t.task.carrier = 32;
    return r;
  }

  Runtime runtime_ = Described();
  std::string table_;
  uint32_t alive_ = 0, first_ = 0;
  mutable size_t bytes_ = 0;
};

TEST(SampleTest, StandsForAll) {
  constexpr int kLooks = 400;
  constexpr uint32_t kWanted = 200;
  for (uint32_t alive_of : {1, 2, 7, 1000}) {
    const TableMemory memory(alive_of);
    std::mt19937 random(alive_of);
    double all = 0, first = 0, drawn = 0;
    for (int i = 0; i < kLooks; ++i) {
      const Snapshot s = TakeSample(memory, memory.runtime(), kWanted, random);
      drawn += static_cast<double>(s.tasks.size());
      for (const TaskView& t : s.tasks) {
        all += s.each;
        if (t.name == "first") first += s.each;
      }
    }
    // A count of n tasks that were drawn is off by no more than sqrt(n) on average.
    const double error = 5 / std::sqrt(drawn / 4);
    EXPECT_NEAR(all / kLooks, memory.alive(), memory.alive() * error) << alive_of;
    EXPECT_NEAR(first / kLooks, memory.first(), memory.first() * error) << alive_of;
    if (alive_of > 7) {
      EXPECT_EQ(all / kLooks, memory.alive());  // read one by one
    } else {
      EXPECT_LT(memory.bytes() / kLooks, kWanted * alive_of * kTask * 5 / 4 + kSlots) << alive_of;
      EXPECT_GT(drawn / kLooks, kWanted / 2);
    }
  }
}

}  // namespace
}  // namespace green::inspect
