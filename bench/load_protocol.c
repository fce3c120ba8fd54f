#include "load_protocol.h"

#include <stdio.h>
#include <string.h>

static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

static size_t payload(uint32_t connection, uint64_t counter, size_t smallest, size_t largest,
                      char* out) {
  uint64_t seed = mix(((uint64_t)connection << 40) + counter + 1);
  size_t size = smallest + (size_t)(seed % (largest - smallest + 1));
  for (size_t i = 0; i < size; i += 8) {
    uint64_t word = seed + i * 0x9e3779b97f4a7c15ull;
    memcpy(out + i, &word, size - i < 8 ? size - i : 8);
  }
  return size;
}

// memcached: every second request gets what the one before it set.
static void memcached_set(uint32_t connection, uint64_t counter, size_t smallest, size_t largest,
                          const char* format, const char* end, struct message* m) {
  static char data[kMaxPayload];
  size_t size = payload(connection, counter, smallest, largest, data);
  size_t head = (size_t)snprintf(m->bytes, 100, format, connection, size);
  memcpy(m->bytes + head, data, size);
  strcpy(m->bytes + head + size, end);
  m->size = head + size + strlen(end);
}

void request_of(enum protocol protocol, uint32_t connection, uint64_t counter, size_t smallest,
                size_t largest, struct message* request) {
  if (protocol == kEcho) {
    request->size = payload(connection, counter, smallest, largest, request->bytes);
  } else if (counter % 2 == 0) {
    memcached_set(connection, counter, smallest, largest, "set k%u 0 0 %zu\r\n", "\r\n", request);
  } else {
    request->size = (size_t)snprintf(request->bytes, 100, "get k%u\r\n", connection);
  }
}

void answer_of(enum protocol protocol, uint32_t connection, uint64_t counter, size_t smallest,
               size_t largest, struct message* answer) {
  if (protocol == kEcho) {
    answer->size = payload(connection, counter, smallest, largest, answer->bytes);
  } else if (counter % 2 == 0) {
    strcpy(answer->bytes, "STORED\r\n");
    answer->size = 8;
  } else {
    memcached_set(connection, counter - 1, smallest, largest, "VALUE k%u 0 %zu\r\n", "\r\nEND\r\n",
                  answer);
  }
}
