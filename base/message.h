// One line on stderr, assembled on the stack and written with one raw write(2), so that it is
// whole even when several threads report, and safe in a signal handler.
#pragma once

#include <cstddef>
#include <cstdint>

namespace green {

// Notes which file stderr is, before the program can open another one under its number. Called
// once, at load.
void NoteStderr();

class Message {
 public:
  Message();  // begins with "libgreen: "
  Message& operator<<(const char* s);
  Message& operator<<(long v);
  Message& operator<<(unsigned long v);
  Message& operator<<(int v) { return *this << static_cast<long>(v); }
  Message& operator<<(unsigned v) { return *this << static_cast<unsigned long>(v); }
  Message& Hex(uintptr_t v);
  void Write();  // appends the newline; nothing where file descriptor 2 is not stderr

 private:
  void Put(char c) {
    if (size_ < sizeof(text_) - 1) text_[size_++] = c;
  }
  size_t size_ = 0;
  char text_[400];
};

}  // namespace green
