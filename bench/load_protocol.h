// What a load connection sends, and whether what it gets back is right, byte
// for byte. Both depend on the connection and on how many requests it has sent,
// so an answer that belongs to another connection, or to an earlier request, is
// noticed.

#ifndef BENCH_LOAD_PROTOCOL_H_
#define BENCH_LOAD_PROTOCOL_H_

#include <stddef.h>
#include <stdint.h>

enum { kMaxPayload = 65536, kMaxMessage = kMaxPayload + 1024 };

struct traffic {
  enum { kEcho, kMemcached, kHttp } protocol;
  size_t smallest, largest;  // bytes of a payload
};

struct message {
  size_t size;
  char bytes[kMaxMessage];
};

enum answer { kIncomplete, kRight, kWrong };

void request_of(const struct traffic* traffic, uint32_t connection, uint64_t counter,
                struct message* request);

// Judges the first size bytes that came back.
enum answer judge_answer(const struct traffic* traffic, uint32_t connection, uint64_t counter,
                         const char* bytes, size_t size);

#endif  // BENCH_LOAD_PROTOCOL_H_
