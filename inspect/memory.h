// Another process's memory, read (or, for a trace, a few words of it written) without stopping it.
//
// The kernel lets a reader in exactly when it would let ptrace in (PTRACE_MODE_ATTACH_REALCREDS,
// process_vm_readv(2)). What is read may be torn, stale or forged: whoever uses it checks it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace green::inspect {

struct Piece {
  uint64_t address;
  void* to;
  size_t size;
  bool read = false;
};

class Memory {
 public:
  virtual ~Memory() = default;
  // All of it, or false.
  virtual bool Read(uint64_t address, void* to, size_t size) const = 0;
  // Many at the price of few; sets Piece::read of each.
  virtual void ReadMany(std::vector<Piece>& pieces) const;

  // All of it, or false.
  virtual bool Write(uint64_t, const void*, size_t) const { return false; }

  template <typename T>
  bool Read(uint64_t address, T* to) const {
    return Read(address, to, sizeof(T));
  }
};

class ProcessMemory : public Memory {
 public:
  explicit ProcessMemory(pid_t pid) : pid_(pid) {}
  // 0, or the errno that reading gives: EPERM, ESRCH.
  int Probe(uint64_t address) const;
  bool Read(uint64_t address, void* to, size_t size) const override;
  void ReadMany(std::vector<Piece>& pieces) const override;
  bool Write(uint64_t address, const void* from, size_t size) const override;
  using Memory::Read;

 private:
  pid_t pid_;
};

}  // namespace green::inspect
