// What a process found in its code, kept for its forked children.
//
// A program that has no threads is left as it is; each child of it that creates one has to look
// through all code for itself: 7 ms where the libraries hold 20 MB of it, and a server that forks a
// child per request pays them for each. So the first such child leaves word in a page that it
// shares with its parent. The parent looks at its next fork, into memory of its own, and all later
// children have only to write what it found.
//
//   parent, before each fork:   no page of its own yet? maps one
//                               word in it, and not looked yet? looks
//   child that has looked:      leaves word in its parent's page
//
// Nothing but that word is shared: what a child finds does not decide what is written in others.
#pragma once

#include <atomic>
#include <cstdint>

#include "interpose/sites.h"

struct dl_phdr_info;

namespace green {

// Used by a process whose threads, if it has some, are not libgreen's.
class KnownSites {
 public:
  // What may be looked for.
  using Choices = IsTreatedFn[2];

  void BeforeFork(const Choices& choices);
  void InForkedChild() { page_is_ours_ = false; }
  // This process has looked for choices[choice] because its parent had not.
  void TellParent(int choice);
  // As FindSites, from what is known. False: nothing is, or the code has changed. `unloads`: how
  // many objects the loader has unloaded so far.
  bool Recall(uintptr_t base, const void* headers, unsigned long long unloads,
              const CodeObject& object, IsTreatedFn is_treated, SiteScan* scan) const;
  const void* page() const { return page_; }

 private:
  static constexpr int kMaxObjects = 256;
  static constexpr int kMaxSites = 8192;

  struct Object {
    uintptr_t base;
    const void* headers;
    uint64_t fingerprint;  // of the bytes that its sites stand for
    int first, count;
    int not_instructions, dropped;
  };
  struct Looking;

  void Look(IsTreatedFn is_treated);
  int Visit(const dl_phdr_info& info, Looking* looking);
  static uint64_t Fingerprint(const Site* sites, int count);

  std::atomic<int>* page_ = nullptr;  // 0, or 1 + the choice
  bool page_is_ours_ = false;         // else the parent's, or none
  std::atomic<bool> has_looked_ = false;
  IsTreatedFn looked_for_ = nullptr;
  unsigned long long unloads_ = 0;
  Site* sites_ = nullptr;
  std::atomic<int> object_count_ = 0;  // until all are there: a handler or another thread may fork
  Object objects_[kMaxObjects] = {};
};

}  // namespace green
