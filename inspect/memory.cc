#include "inspect/memory.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

namespace green::inspect {
namespace {

constexpr size_t kMaxVectors = 1024;  // IOV_MAX

}  // namespace

void Memory::ReadMany(std::vector<Piece>& pieces) const {
  for (Piece& p : pieces) p.read = Read(p.address, p.to, p.size);
}

int ProcessMemory::Probe(uint64_t address) const {
  char byte;
  iovec local = {&byte, 1};
  iovec remote = {reinterpret_cast<void*>(address), 1};
  return process_vm_readv(pid_, &local, 1, &remote, 1, 0) == 1 ? 0 : errno;
}

bool ProcessMemory::Read(uint64_t address, void* to, size_t size) const {
  iovec local = {to, size};
  iovec remote = {reinterpret_cast<void*>(address), size};
  return process_vm_readv(pid_, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

bool ProcessMemory::Write(uint64_t address, const void* from, size_t size) const {
  iovec local = {const_cast<void*>(from), size};
  iovec remote = {reinterpret_cast<void*>(address), size};
  return process_vm_writev(pid_, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

void ProcessMemory::ReadMany(std::vector<Piece>& pieces) const {
  std::vector<iovec> local, remote;
  for (size_t begin = 0; begin < pieces.size();) {
    const size_t end = std::min(pieces.size(), begin + kMaxVectors);
    local.clear();
    remote.clear();
    for (size_t i = begin; i < end; ++i) {
      local.push_back({pieces[i].to, pieces[i].size});
      remote.push_back({reinterpret_cast<void*>(pieces[i].address), pieces[i].size});
    }
    ssize_t got =
        process_vm_readv(pid_, local.data(), local.size(), remote.data(), remote.size(), 0);
    // It stops at the first piece that cannot be read whole; that one is left out.
    for (; begin < end && got >= static_cast<ssize_t>(pieces[begin].size); ++begin) {
      got -= static_cast<ssize_t>(pieces[begin].size);
      pieces[begin].read = true;
    }
    if (begin < end) pieces[begin++].read = false;
  }
}

}  // namespace green::inspect
