// green syscalls: the runtime's own table (syscalls/table.inc), printed.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace green::cli {

struct SyscallRow {
  int number;
  std::string_view name;
  std::string_view treatment;  // "passes", "parks", "hands off", "emulated", "refused"
  std::string_view handler;    // empty where the kernel does it alone
  std::string_view note;
};

std::span<const SyscallRow> SyscallRows();

enum class Format { kText, kJson, kMarkdown };

// The whole table, or the rows whose name or number is `wanted`; empty when there is none.
std::string PrintSyscalls(std::string_view wanted, Format format);

}  // namespace green::cli
