// A name server for tests: every host is 10.0.0.1 and that is host.test. RFC 1035.
#pragma once
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>

#include "tests/programs/net.h"

static inline size_t put(unsigned char* to, size_t at, const void* from, size_t size) {
  memcpy(to + at, from, size);
  return at + size;
}

// Turns a query of `size` bytes into its answer; the answer's size.
static inline size_t dns_answer(unsigned char* message, size_t size) {
  // The answer's name is the question's, which begins behind the header of 12 bytes.
  static const unsigned char address[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1};
  static const unsigned char name[] = {0xc0, 12,  0,   12,  0,   1, 0,   0,   0,   60,  0, 11,
                                       4,    'h', 'o', 's', 't', 4, 't', 'e', 's', 't', 0};
  size_t end = 12;
  while (end < size && message[end]) end += message[end] + 1u;
  CHECK(end + 5 <= size);
  int type = message[end + 1] << 8 | message[end + 2];
  end += 5;
  message[2] |= 0x80;  // an answer
  message[3] = 0x80;   // recursion is available, no error
  memset(message + 6, 0, 6);
  message[7] = type == ns_t_a || type == ns_t_ptr;
  if (type == ns_t_a) return put(message, end, address, sizeof address);
  if (type == ns_t_ptr) return put(message, end, name, sizeof name);
  return end;
}

// The calling thread's look-ups go to this port of the loopback interface.
static inline void use_dns_server(int port) {
  CHECK_OK(res_init());
  _res.nscount = 1;
  _res.nsaddr_list[0] = loopback(port);
  _res.retrans = 10;
  _res.retry = 3;
}
