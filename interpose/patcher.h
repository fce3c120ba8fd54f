// Redirects the syscall instructions of all loaded objects to stub slots (slot.h).
//
// A pass walks the loader's list, finds the sites of objects it has not seen (sites.h), fills a
// slot for each, and only then writes the jumps. Sites of objects that were unloaded give their
// slots back.
//
// Precondition of the first pass: no other thread exists. In later passes (after dlopen) other
// threads may run, but not in the objects that are new, apart from threads that those objects'
// constructors started; so syscalls that would have to be overwritten themselves are left alone
// then.
#pragma once

#include <cstdint>

#include "base/spin_lock.h"
#include "interpose/code_writer.h"
#include "interpose/hop_pages.h"
#include "interpose/known_sites.h"
#include "interpose/plain_slot.h"
#include "interpose/sites.h"
#include "interpose/slot.h"

struct dl_phdr_info;

namespace green {

struct PatchStats {
  int objects;  // loaded and looked at
  int sites;    // syscall instructions found in them
  int patched;
  int not_treated;
  int unpatchable;
  int slots_used;
};

struct UnpatchableSite {
  const uint8_t* address;
  int nr;
  Site::Reason reason;
};

// Of static storage: zeroed is its initial state. One per process, since the slots are.
class Patcher {
 public:
  // Patches what is new since the last call; cheap if nothing is. Runs where dl_iterate_phdr may be
  // called. False if scratch memory could not be had: call again later. *found: the new objects.
  // What `known` knows is not looked for again; *looked: objects that were.
  bool PatchAllLoaded(IsTreatedFn is_treated, int* found = nullptr,
                      const KnownSites* known = nullptr, int* looked = nullptr);

  PatchStats stats();
  // Copies up to `capacity` of them, returns how many there are.
  int Unpatchable(UnpatchableSite* out, int capacity);

  // In a forked child, whose parent may have been in a pass on another thread.
  void AfterFork() { lock_.Reset(); }

 private:
  static constexpr int kMaxObjects = 1024;
  static constexpr int kMaxUnpatchable = 256;
  static constexpr int kMaxPlainSlots = 128;

  // An object is the same as before if it has the same address and program headers, and its first
  // patched site still is.
  struct Object {
    uintptr_t base;
    const void* headers;
    int pass;  // that saw it last; 0: free
    PatchStats counts;
  };
  struct Pass;
  struct Scratch;

  int Visit(const dl_phdr_info& info, Pass* pass);
  bool IsNew(const dl_phdr_info& info, const CodeObject& code, Pass* pass);
  bool IsStillPatched(int object, const CodeObject& code) const;
  void Forget(int object);
  void ForgetUnloaded(int pass);
  void PatchObject(int object, const CodeObject& code, Pass* pass);
  int AllocateSlot(int object);
  int AllocatePlainSlot(int nr, int slot);
  void WriteSlots(Pass* pass);
  void WritePlainSlots(const CodeObject& code, Pass* pass);
  int WriteJumps(int first, Pass* pass);
  const uint8_t* TargetOf(int site, Pass* pass);
  bool WriteJump(int site, const uint8_t* target, Pass* pass);
  void Refuse(int site, Site::Reason reason, Pass* pass);
  void Report(int object, const Site& site, Site::Reason reason);

  SpinLock lock_;  // what passes write, for readers; passes exclude each other by the loader's lock
  Object objects_[kMaxObjects] = {};
  int object_count_ = 0;
  int pass_count_ = 0;
  unsigned long long adds_ = 0, subs_ = 0;      // the loader's counters at the last pass
  uint16_t slot_owner_[GREEN_SLOT_COUNT] = {};  // object number + 1; 0: free
  uint16_t plain_owner_[kMaxPlainSlots] = {};   // the ordinary slot + 1
  struct {
    UnpatchableSite site;
    int object;
  } unpatchable_[kMaxUnpatchable] = {};
  int unpatchable_count_ = 0;
  HopPages hops_ = {};
};

}  // namespace green
