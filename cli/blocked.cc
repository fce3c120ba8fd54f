#include "cli/blocked.h"

#include <sys/syscall.h>

#include <algorithm>
#include <map>

#include "arch/x86_64/call_target.h"
#include "inspect/waits.h"

namespace green::cli {
namespace {

using inspect::SiteView;

std::string CallOf(const inspect::Target& target, const SiteView& site,
                   inspect::StackReader* reader) {
  if (site.kind == SiteView::kBlockedMutex) return "mutex";
  if (site.call != SYS_futex) return inspect::SyscallName(site.call);
  // A condition, a semaphore, a thread's end: the function tells.
  const uint64_t function = CallTarget(site.address, [&](void* to, uintptr_t address, size_t size) {
    return target.memory().Read(address, to, size);
  });
  return function ? reader->Name(function) : "futex";
}

}  // namespace

std::string PlaceAt(uint64_t address, inspect::StackReader* reader) {
  return address ? reader->Name(address - 1) : "an unknown place";
}

std::vector<BlockedPlace> BlockedPlaces(const inspect::Target& target, const inspect::Snapshot& s,
                                        inspect::StackReader* reader) {
  std::map<std::pair<std::string, std::string>, BlockedPlace> sums;
  for (const SiteView& site : s.blocked) {
    BlockedPlace place = {CallOf(target, site, reader), PlaceAt(site.address, reader), 0, 0};
    BlockedPlace& sum = sums.try_emplace({place.call, place.from}, place).first->second;
    sum.ms += site.blocked_ms;
    sum.samples += site.count;
  }
  std::vector<BlockedPlace> places;
  places.reserve(sums.size());
  for (const auto& [_, sum] : sums) places.push_back(sum);
  std::stable_sort(places.begin(), places.end(),
                   [](const BlockedPlace& a, const BlockedPlace& b) { return a.ms > b.ms; });
  return places;
}

}  // namespace green::cli
