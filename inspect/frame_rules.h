// How the caller's registers follow from a frame's: found once for each place in the code, as
// thousands of stacks go through the same few.
//
// libunwind is asked what it makes of registers that are far apart, and of a stack whose words are
// all different. Where all that it answers is a register plus a distance, or the word at one, that
// is the rule. Where it is not, as where the address of a word is itself read from the stack, the
// rule is to ask libunwind each time. Rules hold as long as the modules are where they are.
#pragma once

#include <libunwind.h>

#include <array>
#include <unordered_map>

#include "inspect/modules.h"
#include "inspect/pages.h"

namespace green::inspect {

struct Registers {
  uint64_t rip = 0, rsp = 0, rbp = 0, rbx = 0, r12 = 0, r13 = 0, r14 = 0, r15 = 0;
};

class FrameRules {
 public:
  FrameRules(Pages& pages, Modules& modules);
  ~FrameRules();
  FrameRules(const FrameRules&) = delete;
  FrameRules& operator=(const FrameRules&) = delete;

  // Those of the caller, or false at the outermost frame and where nothing is known. `called`: rip
  // is behind a call, not at what runs next.
  bool Up(Registers* registers, bool called);

 private:
  struct Asked;  // what libunwind's accessors work on
  struct Value {
    enum { kZero, kSum, kWord } kind = kZero;
    uint8_t base = 0;     // which register
    uint64_t offset = 0;  // added to it
    bool operator==(const Value&) const = default;
  };
  struct Rule {
    enum { kAsk, kEnd, kKnown } kind = kAsk;
    std::array<Value, 8> values = {};
    bool operator==(const Rule&) const = default;
  };

  static int FindProcInfo(unw_addr_space_t, unw_word_t, unw_proc_info_t*, int, void*);
  static int AccessMemory(unw_addr_space_t, unw_word_t, unw_word_t*, int, void*);
  static int AccessRegister(unw_addr_space_t, unw_regnum_t, unw_word_t*, int, void*);

  bool Ask(Asked* asked, Registers* up);
  Rule Learn(uint64_t rip, bool called);
  Rule Try(uint64_t rip, bool called, uint64_t shift);

  Pages& pages_;
  Modules& modules_;
  unw_accessors_t accessors_ = {};
  unw_addr_space_t space_;
  std::unordered_map<uint64_t, Rule> rules_;
};

}  // namespace green::inspect
