// One load connection: one request outstanding at most, every byte of the
// answer compared. Whatever is wrong ends the process with a message.

#ifndef BENCH_LOAD_CONNECTION_H_
#define BENCH_LOAD_CONNECTION_H_

#include <stdbool.h>
#include <stdint.h>

#include "load_options.h"

struct connection {
  int fd;
  bool blocked;  // the socket did not take the whole request
  uint32_t number;
  uint64_t counter, measured;  // requests answered; of those, while measuring
  uint64_t began;              // ns, of the outstanding request
  size_t sent, received;
  char* partial;  // an answer that came in pieces
};

__attribute__((format(printf, 1, 2), noreturn)) void load_fail(const char* format, ...);

// Connects, through the proxy if asked, and leaves the socket non-blocking.
void connection_open(struct connection* c, uint32_t number, const struct load_options* options);

void connection_begin(struct connection* c, const struct load_options* options, uint64_t now);

// Sends what the socket did not take before.
void connection_send_rest(struct connection* c, const struct load_options* options);

// True when the answer is complete, and right.
bool connection_receive(struct connection* c, const struct load_options* options);

#endif  // BENCH_LOAD_CONNECTION_H_
