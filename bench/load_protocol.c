#include "load_protocol.h"

#include <stdio.h>
#include <string.h>

#include "load_http.h"

static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

static size_t payload(const struct traffic* traffic, uint32_t connection, uint64_t counter,
                      char* out) {
  uint64_t seed = mix(((uint64_t)connection << 40) + counter + 1);
  size_t size = traffic->smallest + (size_t)(seed % (traffic->largest - traffic->smallest + 1));
  for (size_t i = 0; i < size; i += 8) {
    uint64_t word = seed + i * 0x9e3779b97f4a7c15ull;
    memcpy(out + i, &word, size - i < 8 ? size - i : 8);
  }
  return size;
}

static void memcached_data(const struct traffic* traffic, uint32_t connection, uint64_t counter,
                           const char* format, const char* end, struct message* m) {
  static char data[kMaxPayload];
  size_t size = payload(traffic, connection, counter, data);
  size_t head = (size_t)snprintf(m->bytes, 100, format, connection, size);
  memcpy(m->bytes + head, data, size);
  strcpy(m->bytes + head + size, end);
  m->size = head + size + strlen(end);
}

// Every second request gets what the one before it set.
static void memcached_request(const struct traffic* traffic, uint32_t connection, uint64_t counter,
                              struct message* m) {
  if (counter % 2 == 0) {
    memcached_data(traffic, connection, counter, "set k%u 0 0 %zu\r\n", "\r\n", m);
  } else {
    m->size = (size_t)snprintf(m->bytes, 100, "get k%u\r\n", connection);
  }
}

static void memcached_answer(const struct traffic* traffic, uint32_t connection, uint64_t counter,
                             struct message* m) {
  if (counter % 2 == 0) {
    strcpy(m->bytes, "STORED\r\n");
    m->size = strlen(m->bytes);
  } else {
    memcached_data(traffic, connection, counter - 1, "VALUE k%u 0 %zu\r\n", "\r\nEND\r\n", m);
  }
}

void request_of(const struct traffic* traffic, uint32_t connection, uint64_t counter,
                struct message* request) {
  switch (traffic->protocol) {
    case kEcho: request->size = payload(traffic, connection, counter, request->bytes); break;
    case kMemcached: memcached_request(traffic, connection, counter, request); break;
    case kHttp: request->size = http_request(request->bytes); break;
  }
}

enum answer judge_answer(const struct traffic* traffic, uint32_t connection, uint64_t counter,
                         const char* bytes, size_t size) {
  static struct message want;
  if (traffic->protocol == kHttp) return http_judge(bytes, size);
  if (traffic->protocol == kEcho) {
    want.size = payload(traffic, connection, counter, want.bytes);
  } else {
    memcached_answer(traffic, connection, counter, &want);
  }
  if (size > want.size || memcmp(bytes, want.bytes, size) != 0) return kWrong;
  return size == want.size ? kRight : kIncomplete;
}
