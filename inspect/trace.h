// Reading another process's trace of scheduler events (sched/trace.h tells the protocol).
#pragma once

#include <cstdint>
#include <vector>

#include "inspect/memory.h"
#include "sched/inspect.h"

namespace green::inspect {

struct TracedEvent {
  TraceEvent event;
  int worker;  // -1: noted by one that held none
};

class TraceReader {
 public:
  TraceReader(const Memory& memory, const InspectTrace& tables) : memory_(memory), t_(tables) {}

  // Asks the process to note events for the next kLeaseNs. False when it cannot be written to.
  // The first call leaves out what is in the rings from before.
  bool Renew();
  // What is new since the last call, ring by ring, until *out holds `most`. False when the
  // process is gone.
  bool Read(std::vector<TracedEvent>* out, size_t most);
  // The process wants to end or exec and waits for us: to be told by SayGoodbye after a last Read.
  bool Leaving() const;
  void SayGoodbye();
  // Events that were overwritten before they were read, or never kept.
  uint64_t lost() const { return lost_ + unkept_; }
  // How full the fullest ring was at the last Read: the share of it that was new, at most 1.
  double fullest() const { return fullest_; }
  // Turns it off, unless another reader has asked for it since.
  void Stop();

  static constexpr int64_t kLeaseNs = 2'000'000'000;

 private:
  struct Ring {
    uint64_t next = 0;
    int stalls = 0;  // looks at which the event `next` was begun but not complete
  };
  bool Heads(std::vector<uint64_t>* heads) const;
  uint64_t RingAt(size_t i) const { return t_.rings + uint64_t{t_.ring_size} * i; }
  void ReadRing(size_t i, uint64_t head, std::vector<TracedEvent>* out, size_t most);

  const Memory& memory_;
  const InspectTrace& t_;
  std::vector<Ring> rings_;
  std::vector<TraceEvent> buffer_;
  uint64_t until_ = 0, lost_ = 0, unkept_ = 0, unkept_before_ = 0;
  double fullest_ = 0;
};

// The time-stamp counter against CLOCK_MONOTONIC, by pairs taken at two times.
class TickClock {
 public:
  struct Pair {
    uint64_t ticks;
    int64_t ns;
  };
  static Pair Now();
  TickClock() : begin_(Now()) {}
  void Calibrate() { end_ = Now(); }
  // ns since the clock was made; may be negative.
  double Ns(uint64_t ticks) const;
  uint64_t begin() const { return begin_.ticks; }
  static double TicksPerNs();  // a first guess, measured over a few ms, once

 private:
  Pair begin_, end_ = {};
};

}  // namespace green::inspect
