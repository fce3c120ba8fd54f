#include "inspect/trace.h"

#include <gtest/gtest.h>

#include <cstring>

namespace green::inspect {
namespace {

// Rings in this process, laid out as the runtime's are (sched/trace.cc).
struct Rings : Memory {
  static constexpr uint32_t kCapacity = 64;
  struct alignas(64) Ring {
    uint64_t head = 0;
    uint64_t events = 0;
  };
  Ring rings[3];  // the last is the shared one
  TraceEvent events[3][kCapacity] = {};
  uint8_t on = 0;
  uint64_t until = 0, unkept = 0;
  uint32_t leaving = 0, seen = 0;
  InspectTrace tables = {};

  Rings() {
    for (int i = 0; i < 3; ++i) rings[i].events = reinterpret_cast<uint64_t>(events[i]);
    tables.on = reinterpret_cast<uint64_t>(&on);
    tables.until = reinterpret_cast<uint64_t>(&until);
    tables.unkept = reinterpret_cast<uint64_t>(&unkept);
    tables.leaving = reinterpret_cast<uint64_t>(&leaving);
    tables.seen = reinterpret_cast<uint64_t>(&seen);
    tables.rings = reinterpret_cast<uint64_t>(rings);
    tables.ring_count = 3;
    tables.ring_size = sizeof(Ring);
    tables.head = offsetof(Ring, head);
    tables.events = offsetof(Ring, events);
    tables.capacity = kCapacity;
    tables.event_size = sizeof(TraceEvent);
  }
  bool Read(uint64_t address, void* to, size_t size) const override {
    std::memcpy(to, reinterpret_cast<const void*>(address), size);
    return true;
  }
  using Memory::Read;
  bool Write(uint64_t address, const void* from, size_t size) const override {
    std::memcpy(reinterpret_cast<void*>(address), from, size);
    return true;
  }

  void Begin(int ring) { ++rings[ring].head; }  // an event that is not complete yet
  void Complete(int ring, uint64_t number, uint32_t task) {
    TraceEvent& e = events[ring][number % kCapacity];
    e.task = task;
    e.seq = static_cast<uint32_t>(number + 1);
  }
  void Add(int ring, uint32_t task) {
    Complete(ring, rings[ring].head, task);
    Begin(ring);
  }
};

std::vector<TracedEvent> ReadAll(TraceReader& reader) {
  std::vector<TracedEvent> out;
  EXPECT_TRUE(reader.Read(&out, 1000));
  return out;
}

TEST(TraceReaderTest, ReadsWhatIsNewSinceItBegan) {
  Rings rings;
  rings.Add(0, 1);
  TraceReader reader(rings, rings.tables);
  ASSERT_TRUE(reader.Renew());
  EXPECT_EQ(rings.on, 1);
  EXPECT_GT(rings.until, 0u);
  rings.Add(0, 2);
  rings.Add(1, 3);
  rings.Add(2, 4);
  const auto events = ReadAll(reader);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].event.task, 2u);
  EXPECT_EQ(events[0].worker, 0);
  EXPECT_EQ(events[1].worker, 1);
  EXPECT_EQ(events[2].worker, -1);
  EXPECT_TRUE(ReadAll(reader).empty());
  EXPECT_EQ(reader.lost(), 0u);
}

TEST(TraceReaderTest, CountsWhatWasOverwritten) {
  Rings rings;
  TraceReader reader(rings, rings.tables);
  reader.Renew();
  for (uint32_t i = 0; i < 100; ++i) rings.Add(0, i);
  const auto events = ReadAll(reader);
  // The oldest in the ring may be overwritten while it is read.
  ASSERT_EQ(events.size(), Rings::kCapacity - 1);
  EXPECT_EQ(events.back().event.task, 99u);
  EXPECT_EQ(reader.lost(), 100 - events.size());
  rings.unkept = 7;
  ReadAll(reader);
  EXPECT_EQ(reader.lost(), 100 - events.size() + 7);
}

TEST(TraceReaderTest, WaitsForABegunEventButNotForEver) {
  Rings rings;
  TraceReader reader(rings, rings.tables);
  reader.Renew();
  rings.Begin(2);
  rings.Add(2, 5);
  EXPECT_TRUE(ReadAll(reader).empty());
  rings.Complete(2, 0, 4);
  auto events = ReadAll(reader);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].event.task, 4u);
  rings.Begin(2);
  rings.Add(2, 6);
  for (int i = 0; i < 100 && (events = ReadAll(reader)).empty(); ++i) continue;
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].event.task, 6u);
  EXPECT_EQ(reader.lost(), 1u);
}

TEST(TraceReaderTest, StopsOnlyWhatNobodyElseAskedFor) {
  Rings rings;
  TraceReader one(rings, rings.tables), other(rings, rings.tables);
  one.Renew();
  other.Renew();
  one.Stop();
  EXPECT_EQ(rings.on, 1);
  other.Stop();
  EXPECT_EQ(rings.on, 0);
}

TEST(TraceReaderTest, SaysGoodbye) {
  Rings rings;
  TraceReader reader(rings, rings.tables);
  EXPECT_FALSE(reader.Leaving());
  rings.leaving = 1;
  EXPECT_TRUE(reader.Leaving());
  reader.SayGoodbye();
  EXPECT_EQ(rings.seen, 1u);
}

TEST(TickClockTest, AgreesWithTheClock) {
  TickClock clock;
  timespec pause = {0, 20'000'000};
  nanosleep(&pause, nullptr);
  const TickClock::Pair now = TickClock::Now();
  clock.Calibrate();
  EXPECT_GE(clock.Ns(now.ticks), 20e6);
  EXPECT_EQ(clock.Ns(clock.begin()), 0);
}

}  // namespace
}  // namespace green::inspect
