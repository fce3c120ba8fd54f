// What a load connection sends and what it must get back, byte for byte. Both
// depend on the connection and on how many requests it has sent, so an answer
// that belongs to another connection, or to an earlier request, is noticed.

#ifndef BENCH_LOAD_PROTOCOL_H_
#define BENCH_LOAD_PROTOCOL_H_

#include <stddef.h>
#include <stdint.h>

enum { kMaxPayload = 65536, kMaxMessage = kMaxPayload + 128 };

enum protocol { kEcho, kMemcached };

struct message {
  size_t size;
  char bytes[kMaxMessage];
};

// A payload has between smallest and largest bytes.
void request_of(enum protocol protocol, uint32_t connection, uint64_t counter, size_t smallest,
                size_t largest, struct message* request);
void answer_of(enum protocol protocol, uint32_t connection, uint64_t counter, size_t smallest,
               size_t largest, struct message* answer);

#endif  // BENCH_LOAD_PROTOCOL_H_
