#include "interpose/libc_code.h"

#include <link.h>

#include "interpose/loaded_object.h"
#include "interpose/start.h"
#include "syscalls/threads.h"

namespace green {
namespace {

struct LibcCode {
  CodeRange ranges[kMaxLibcRanges];
  int count = 0;
  CodeRange syscall_function;
  const uint8_t* syscall_address;
};

CodeRange RangeOf(const uint8_t* begin, const uint8_t* end) {
  return {reinterpret_cast<uintptr_t>(begin), reinterpret_cast<uintptr_t>(end)};
}

int Look(dl_phdr_info* info, size_t, void* arg) {
  auto found = static_cast<LibcCode*>(arg);
  CodeObject object;
  if (!DescribeObject(*info, &object) || !object.is_libc) return 0;
  for (int i = 0; i < object.code_count && found->count < kMaxLibcRanges; ++i)
    found->ranges[found->count++] = RangeOf(object.code[i].begin, object.code[i].end);
  FunctionBounds function;
  if (object.CodeAt(found->syscall_address) &&
      FindFunction(object.index, found->syscall_address, &function))
    found->syscall_function = RangeOf(function.start, function.end);
  return 0;
}

}  // namespace

void FindLibcCode() {
  LibcCode found;
  found.syscall_address = static_cast<const uint8_t*>(RealFunction("syscall"));
  dl_iterate_phdr(Look, &found);
  SetLibcCode(found.ranges, found.syscall_function);
}

}  // namespace green
