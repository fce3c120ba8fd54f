// An ELF file laid out in memory as the loader would, without running any of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "interpose/code_object.h"

namespace green::cli {

class CodeImage {
 public:
  explicit CodeImage(const std::string& path);  // Look at ok() next.
  ~CodeImage();
  CodeImage(const CodeImage&) = delete;
  CodeImage& operator=(const CodeImage&) = delete;

  // False for what is no 64-bit ELF file with code, or cannot be read.
  bool ok() const { return code_.code_count > 0; }
  const CodeObject& code() const { return code_; }

  // Where a byte of the image lies in a process that has the file mapped from
  // `lowest` on.
  uintptr_t AddressIn(uintptr_t lowest, const uint8_t* at) const;

 private:
  bool Load(int fd, const std::string& name);

  uint8_t* memory_ = nullptr;
  size_t size_ = 0;
  CodeObject code_;
};

}  // namespace green::cli
