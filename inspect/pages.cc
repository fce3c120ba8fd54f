#include "inspect/pages.h"

#include <cstring>

namespace green::inspect {
namespace {

constexpr uint64_t kPage = 4096;
constexpr size_t kMaxPages = 16384;

}  // namespace

bool Pages::Word(uint64_t address, bool lasting, uint64_t* out) {
  const uint64_t offset = address % kPage;
  if (offset > kPage - 8) return memory_.Read(address, out);
  auto& pages = lasting ? lasting_ : stack_;
  auto [page, fresh] = pages.try_emplace(address / kPage);
  if (fresh) {
    if (pages.size() > kMaxPages) {
      pages.clear();
      return memory_.Read(address, out);
    }
    page->second.resize(kPage);
    if (!memory_.Read(address - offset, page->second.data(), kPage)) page->second.clear();
  }
  if (page->second.empty()) return false;
  std::memcpy(out, page->second.data() + offset, 8);
  return true;
}

void Pages::CopyStacks(const std::vector<uint64_t>& from, size_t bytes) {
  ForgetStacks();
  std::vector<Piece> pieces;
  for (const uint64_t address : from) {
    const uint64_t last = (address + bytes - 1) / kPage;
    for (uint64_t page = address / kPage; page <= last && stack_.size() < kMaxPages; ++page) {
      const auto [copy, fresh] = stack_.try_emplace(page);
      if (!fresh) continue;
      copy->second.resize(kPage);
      pieces.push_back({page * kPage, copy->second.data(), kPage});
    }
  }
  memory_.ReadMany(pieces);
  for (const Piece& p : pieces)
    if (!p.read) stack_.erase(p.address / kPage);
}

}  // namespace green::inspect
