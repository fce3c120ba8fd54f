// Writes into code that may be running, without making any page both writable and executable.
//
// /proc/self/mem takes writes to read-only private pages and the page stays executable meanwhile.
// Where the kernel refuses that, the page is made writable instead of executable for the moment of
// the write, with all signals blocked; no other thread may then be running in it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace green {

class CodeWriter {
 public:
  CodeWriter();
  ~CodeWriter();
  CodeWriter(const CodeWriter&) = delete;
  CodeWriter& operator=(const CodeWriter&) = delete;

  bool Write(const void* code, const void* bytes, size_t size);

  // Do as if /proc/self/mem were refused (tests).
  void ForgetProcMem();

 private:
  bool WriteByProtecting(const void* code, const void* bytes, size_t size);
  long fd_;
};

}  // namespace green
