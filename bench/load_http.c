#define _GNU_SOURCE
#include "load_http.h"

#include <stdlib.h>
#include <string.h>

size_t http_request(char* out) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  memcpy(out, request, sizeof request - 1);
  return sizeof request - 1;
}

static enum answer judge_body(const char* body, size_t size) {
  static char* first;
  static size_t first_size;
  if (!first) {
    first = malloc(size + 1);
    if (!first) return kWrong;
    memcpy(first, body, size);
    first_size = size;
  }
  return size == first_size && memcmp(body, first, size) == 0 ? kRight : kWrong;
}

enum answer http_judge(const char* bytes, size_t size) {
  static const char ok[] = "HTTP/1.1 200 ", length[] = "\r\nContent-Length: ";
  const char* end = memmem(bytes, size, "\r\n\r\n", 4);
  if (!end) return size < 4096 ? kIncomplete : kWrong;
  const char* body = end + 4;
  size_t head = (size_t)(body - bytes);
  const char* field = memmem(bytes, head, length, sizeof length - 1);
  if (memcmp(bytes, ok, sizeof ok - 1) != 0 || !field) return kWrong;
  size_t wanted = strtoul(field + sizeof length - 1, NULL, 10);
  if (wanted > kMaxPayload || size > head + wanted) return kWrong;
  return size < head + wanted ? kIncomplete : judge_body(body, wanted);
}
