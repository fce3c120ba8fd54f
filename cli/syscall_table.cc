#include "cli/syscall_table.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/coverage_cases.h"

namespace green::cli {
namespace {

constexpr std::string_view Treatment(std::string_view word) {
  if (word == "PASSES") return "passes";
  if (word == "PARKS") return "parks";
  if (word == "HANDS_OFF") return "hands off";
  if (word == "EMULATED") return "emulated";
  return "refused";
}

constexpr std::string_view HandlerName(std::string_view word) {
  return word == "None" ? std::string_view() : word;
}

constexpr SyscallRow kRows[] = {
#define GREEN_SYSCALL(nr, name, treatment, handler, note) \
  {nr, #name, Treatment(#treatment), HandlerName(#handler), note},
#include "syscalls/table.inc"
#undef GREEN_SYSCALL
};

std::string Padded(std::string_view text, size_t width) {
  std::string out(text);
  if (out.size() < width) out.resize(width, ' ');
  return out;
}

void AddText(const SyscallRow& row, std::string* out) {
  std::string line = Padded(std::to_string(row.number), 4) + Padded(row.name, 26) +
                     Padded(row.treatment, 11) + Padded(row.handler, 22);
  line += row.note;
  line.erase(line.find_last_not_of(' ') + 1);
  *out += line + "\n";
}

// The families of tests/coverage in which a case blocks in this call.
std::vector<std::string_view> TestedBy(const SyscallRow& row) {
  std::vector<std::string_view> families;
  for (const CoverageCase& one : CoverageCases()) {
    if (one.system_call == row.name && std::ranges::find(families, one.family) == families.end())
      families.push_back(one.family);
  }
  return families;
}

std::string Link(std::string_view family) {
  return "[" + std::string(family) + "](../tests/coverage/" + std::string(family) + ".inc)";
}

void AddMarkdown(const SyscallRow& row, std::string* out) {
  *out += "| " + std::to_string(row.number) + " | `" + std::string(row.name) + "` | " +
          std::string(row.treatment) + " | " +
          (row.handler.empty() ? std::string() : "`" + std::string(row.handler) + "`") + " | " +
          std::string(row.note) + " | ";
  const char* between = "";
  for (std::string_view family : TestedBy(row)) {
    *out += between + Link(family);
    between = ", ";
  }
  *out += " |\n";
}

std::string FunctionsPage() {
  std::string out =
      "\n"
      "## Functions that block\n"
      "\n"
      "Each is blocked in by one thread while another counts, natively and with one worker:\n"
      "`bazel test //tests/coverage/...`.\n"
      "\n"
      "| Case | Blocks in | Test |\n"
      "|---|---|---|\n";
  for (const CoverageCase& one : CoverageCases()) {
    out += "| `" + std::string(one.function) + "` | `" + std::string(one.system_call) + "` | " +
           Link(one.family) + " |\n";
  }
  return out;
}

constexpr std::string_view kMarkdownHead =
    "# System calls\n"
    "\n"
    "Printed by `green syscalls --markdown` from `syscalls/table.inc`; a test keeps it current.\n"
    "A call without a row passes.\n"
    "\n"
    "- **passes**: straight to the kernel; its sites are not even patched.\n"
    "- **parks**: tried without blocking; the task waits in user space.\n"
    "- **hands off**: may block in the kernel; the worker goes to another OS thread.\n"
    "- **emulated**: the kernel's answer would be about the OS thread; libgreen answers for the\n"
    "  task.\n"
    "- **refused**: cannot work under M:N; the program is told so by errno.\n"
    "\n"
    "| Number | Call | Treatment | Handler | Note | Blocked in by |\n"
    "|---|---|---|---|---|---|\n";

}  // namespace

std::span<const SyscallRow> SyscallRows() { return kRows; }

std::string PrintSyscalls(std::string_view wanted, Format format) {
  std::string out;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const SyscallRow& row : kRows) {
    if (!wanted.empty() && row.name != wanted && std::to_string(row.number) != wanted) continue;
    switch (format) {
      case Format::kText: AddText(row, &out); break;
      case Format::kMarkdown: AddMarkdown(row, &out); break;
      case Format::kJson:
        json.push_back({{"number", row.number},
                        {"name", row.name},
                        {"treatment", row.treatment},
                        {"handler", row.handler},
                        {"note", row.note},
                        {"tested_by", TestedBy(row)}});
        break;
    }
  }
  if (format == Format::kJson) return json.empty() ? std::string() : json.dump(2) + "\n";
  if (format == Format::kMarkdown && wanted.empty())
    return std::string(kMarkdownHead) + out + FunctionsPage();
  return out;
}

}  // namespace green::cli
