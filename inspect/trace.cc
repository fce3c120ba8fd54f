#include "inspect/trace.h"

#include <time.h>
#include <x86intrin.h>

#include <algorithm>

namespace green::inspect {
namespace {

// Looks at a begun event before it counts as lost: its writer may be off its CPU meanwhile.
constexpr int kPatience = 10;

}  // namespace

bool TraceReader::Heads(std::vector<uint64_t>* heads) const {
  // The heads of all rings in one read: they lie together.
  std::vector<char> all(size_t{t_.ring_size} * t_.ring_count);
  if (all.empty() || !memory_.Read(t_.rings, all.data(), all.size())) return false;
  heads->resize(t_.ring_count);
  for (size_t i = 0; i < t_.ring_count; ++i)
    std::copy_n(&all[i * t_.ring_size + t_.head], 8, reinterpret_cast<char*>(&(*heads)[i]));
  return true;
}

bool TraceReader::Renew() {
  if (rings_.empty()) {
    std::vector<uint64_t> heads;
    if (!Heads(&heads)) return false;
    for (uint64_t head : heads) rings_.push_back({head, 0});
    memory_.Read(t_.unkept, &unkept_before_);
  }
  until_ = __rdtsc() + static_cast<uint64_t>(kLeaseNs * TickClock::TicksPerNs());
  const uint8_t on = 1;
  return memory_.Write(t_.until, &until_, sizeof until_) && memory_.Write(t_.on, &on, 1);
}

bool TraceReader::Read(std::vector<TracedEvent>* out, size_t most) {
  std::vector<uint64_t> heads;
  if (!Heads(&heads) || heads.size() != rings_.size()) return false;
  fullest_ = 0;
  for (size_t i = 0; i < rings_.size(); ++i) {
    if (heads[i] == rings_[i].next) continue;
    fullest_ = std::max(fullest_, static_cast<double>(heads[i] - rings_[i].next) / t_.capacity);
    ReadRing(i, heads[i], out, most);
  }
  fullest_ = std::min(fullest_, 1.0);
  uint64_t unkept;
  if (memory_.Read(t_.unkept, &unkept)) unkept_ = unkept - unkept_before_;
  return true;
}

void TraceReader::ReadRing(size_t i, uint64_t head, std::vector<TracedEvent>* out, size_t most) {
  Ring& ring = rings_[i];
  const uint64_t capacity = t_.capacity;
  const bool shared = i + 1 == rings_.size();
  if (head - ring.next > uint64_t{1} << 60) {  // it has begun anew
    ring.next = head;
    return;
  }
  if (head - ring.next > capacity) {
    lost_ += head - ring.next - capacity;
    ring.next = head - capacity;
  }
  uint64_t events;
  if (!memory_.Read(RingAt(i) + t_.events, &events)) return;
  const size_t count = head - ring.next;
  buffer_.resize(count);
  const uint64_t at = ring.next % capacity;
  const size_t before_wrap = std::min<uint64_t>(count, capacity - at);
  uint64_t head_now;
  if (!memory_.Read(events + at * sizeof(TraceEvent), buffer_.data(),
                    before_wrap * sizeof(TraceEvent)) ||
      (count > before_wrap && !memory_.Read(events, buffer_.data() + before_wrap,
                                            (count - before_wrap) * sizeof(TraceEvent))) ||
      !memory_.Read(RingAt(i) + t_.head, &head_now)) {
    lost_ += count;
    ring.next = head;
    return;
  }
  for (size_t k = 0; k < count; ++k, ++ring.next) {
    const TraceEvent& e = buffer_[k];
    const bool overtaken = head_now >= ring.next + capacity;
    if (out->size() >= most) return;
    if (!overtaken && e.seq == static_cast<uint32_t>(ring.next + 1)) {
      out->push_back({e, shared ? -1 : static_cast<int>(i)});
      ring.stalls = 0;
    } else if (!overtaken && ++ring.stalls < kPatience) {
      return;  // begun, and soon complete; or the head was read while it was written
    } else {
      ++lost_;
      ring.stalls = 0;
    }
  }
}

bool TraceReader::Leaving() const {
  uint32_t leaving;
  return memory_.Read(t_.leaving, &leaving) && leaving == 1;
}

void TraceReader::SayGoodbye() {
  const uint32_t seen = 1;
  memory_.Write(t_.seen, &seen, sizeof seen);
}

void TraceReader::Stop() {
  uint64_t until;
  const uint8_t off = 0;
  if (until_ && memory_.Read(t_.until, &until) && until == until_) memory_.Write(t_.on, &off, 1);
}

TickClock::Pair TickClock::Now() {
  // The closest of a few: neither an interrupt nor another task came between the two.
  Pair best = {};
  uint64_t least = ~uint64_t{0};
  for (int i = 0; i < 10; ++i) {
    const uint64_t before = __rdtsc();
    timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    const uint64_t after = __rdtsc();
    if (after - before >= least) continue;
    least = after - before;
    best = {before + (after - before) / 2, ts.tv_sec * 1'000'000'000 + ts.tv_nsec};
  }
  return best;
}

double TickClock::TicksPerNs() {
  static const double rate = [] {
    const Pair a = Now();
    const timespec pause = {0, 5'000'000};
    nanosleep(&pause, nullptr);
    const Pair b = Now();
    return static_cast<double>(b.ticks - a.ticks) / static_cast<double>(b.ns - a.ns);
  }();
  return rate;
}

double TickClock::Ns(uint64_t ticks) const {
  const auto passed = static_cast<double>(static_cast<int64_t>(ticks - begin_.ticks));
  const auto span = static_cast<double>(end_.ticks - begin_.ticks);
  return passed * static_cast<double>(end_.ns - begin_.ns) / span;
}

}  // namespace green::inspect
