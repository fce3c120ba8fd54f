#include "cli/doctor/call_sites.h"

#include <unistd.h>

#include <memory>

#include "cli/doctor/code_image.h"
#include "cli/syscall_table.h"
#include "interpose/sites.h"

namespace green::cli {
namespace {

const SyscallRow* RowOf(int number) {
  for (const SyscallRow& row : SyscallRows()) {
    if (row.number == number) return &row;
  }
  return nullptr;
}

bool IsTreated(int number) {
  const SyscallRow* row = RowOf(number);
  return row && row->treatment != "passes";
}

std::string CallName(int number) {
  if (number < 0) return "a call known at run time only";
  const SyscallRow* row = RowOf(number);
  return row ? std::string(row->name) : "call " + std::to_string(number);
}

template <typename IsPatched>
bool Add(const std::string& path, const CodeImage& image, IsPatched is_patched, CallSites* sum) {
  if (!image.ok()) return false;
  const auto scan = std::make_unique<SiteScan>();
  FindSites(image.code(), IsTreated, scan.get());
  ++sum->objects;
  sum->found += scan->count;
  const std::string file = path.substr(path.rfind('/') + 1);
  for (int n = 0; n < scan->count; ++n) {
    const Site& site = scan->sites[n];
    if (site.verdict == Site::kNotTreated) {
      ++sum->not_treated;
    } else if (site.verdict == Site::kUnpatchable) {
      sum->missed.push_back({file, CallName(site.nr), ReasonName(site.reason)});
    } else if (!is_patched(site)) {
      sum->missed.push_back({file, CallName(site.nr), "not patched"});
    } else {
      ++sum->patched;
    }
  }
  return true;
}

}  // namespace

bool AddCallSites(const std::string& path, CallSites* sum) {
  return Add(
      path, CodeImage(path), [](const Site&) { return true; }, sum);
}

bool AddCallSitesOf(const std::string& path, uintptr_t lowest, int memory, CallSites* sum) {
  const CodeImage image(path);
  const auto is_patched = [&](const Site& site) {
    constexpr uint8_t kJmp = 0xe9;
    uint8_t byte = 0;
    const auto at = static_cast<off_t>(image.AddressIn(lowest, site.PatchStart()));
    return pread(memory, &byte, 1, at) == 1 && byte == kJmp;
  };
  return Add(path, image, is_patched, sum);
}

}  // namespace green::cli
