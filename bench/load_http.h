// GET of one page over a connection that is kept alive.

#ifndef BENCH_LOAD_HTTP_H_
#define BENCH_LOAD_HTTP_H_

#include "load_protocol.h"

// Writes the request; its size.
size_t http_request(char* out);

// Right: status 200, Content-Length bytes of body, and the same body as in the
// first answer of the run. The headers may differ, as Date does.
enum answer http_judge(const char* bytes, size_t size);

#endif  // BENCH_LOAD_HTTP_H_
