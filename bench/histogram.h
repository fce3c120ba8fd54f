// Latencies in nanoseconds: 32 buckets per power of two, so a percentile is
// right within about 3 per cent at any size.

#ifndef BENCH_HISTOGRAM_H_
#define BENCH_HISTOGRAM_H_

#include <stdint.h>

enum { kHistogramSub = 32, kHistogramSize = 60 * 32 };

struct histogram {
  uint64_t bucket[kHistogramSize];
  uint64_t count, max;
};

static inline unsigned histogram_index(uint64_t ns) {
  if (ns < kHistogramSub) return (unsigned)ns;
  unsigned shift = 58u - (unsigned)__builtin_clzll(ns);  // top six bits stay
  return (shift + 1) * kHistogramSub + (unsigned)((ns >> shift) - kHistogramSub);
}

static inline void histogram_add(struct histogram* h, uint64_t ns) {
  h->bucket[histogram_index(ns)]++;
  h->count++;
  if (ns > h->max) h->max = ns;
}

// The middle of the bucket that holds the given share of all values.
static inline double histogram_at(const struct histogram* h, double share) {
  uint64_t wanted = (uint64_t)((double)h->count * share), seen = 0;
  for (unsigned i = 0; i < kHistogramSize; i++) {
    seen += h->bucket[i];
    if (seen <= wanted) continue;
    if (i < kHistogramSub) return i;
    unsigned shift = i / kHistogramSub - 1;
    uint64_t low = (uint64_t)(i % kHistogramSub + kHistogramSub) << shift;
    double middle = (double)low + (double)(1ull << shift) / 2;
    return middle < (double)h->max ? middle : (double)h->max;
  }
  return (double)h->max;
}

#endif  // BENCH_HISTOGRAM_H_
