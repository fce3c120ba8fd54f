#include "inspect/frame_rules.h"

#include <algorithm>
#include <cstring>
#include <vector>

extern "C" int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t, unw_word_t, unw_dyn_info_t*,
                                                  unw_proc_info_t*, int, void*);

namespace green::inspect {
namespace {

constexpr size_t kMaxRules = 1 << 16, kMaxWords = 64;
constexpr uint64_t Registers::*kRegisters[] = {&Registers::rip, &Registers::rsp, &Registers::rbp,
                                               &Registers::rbx, &Registers::r12, &Registers::r13,
                                               &Registers::r14, &Registers::r15};
constexpr int kNumbers[] = {UNW_X86_64_RIP, UNW_X86_64_RSP, UNW_X86_64_RBP, UNW_X86_64_RBX,
                            UNW_X86_64_R12, UNW_X86_64_R13, UNW_X86_64_R14, UNW_X86_64_R15};
constexpr size_t kCount = std::size(kRegisters);

// Made-up registers: none of them an address, each far from the others, and from the words that are
// made up around them, which have the top bit and are as good as random. `shift` tells two sets.
constexpr uint64_t kWordBit = uint64_t{1} << 63;
constexpr uint64_t kFarthest = uint64_t{1} << 31;
constexpr uint64_t MadeUp(size_t i, uint64_t shift) {
  return (uint64_t{i} << 60) + (uint64_t{1} << 59) + shift * i;
}
uint64_t MadeUpWord(uint64_t address) {
  const uint64_t mixed = (address ^ address >> 29) * 0x9e3779b97f4a7c15;
  return (mixed ^ mixed >> 32) | kWordBit;
}
// The made-up register that is not far from this; 0: none.
size_t Near(uint64_t value, uint64_t shift) {
  const size_t i = value >> 60;
  return i && i < kCount && value - MadeUp(i, shift) + kFarthest < 2 * kFarthest ? i : 0;
}

void PutUnwindInfo(unw_addr_space_t, unw_proc_info_t*, void*) {}
int DynInfoList(unw_addr_space_t, unw_word_t*, void*) { return -UNW_ENOINFO; }
int AccessFloat(unw_addr_space_t, unw_regnum_t, unw_fpreg_t*, int, void*) { return -UNW_EBADREG; }
int Resume(unw_addr_space_t, unw_cursor_t*, void*) { return -UNW_EINVAL; }
int ProcName(unw_addr_space_t, unw_word_t, char*, size_t, unw_word_t*, void*) {
  return -UNW_ENOINFO;
}

}  // namespace

struct FrameRules::Asked {
  Pages& pages;
  Modules& modules;
  const Registers& registers;
  bool made_up;  // the registers, and the words around where they point
  uint64_t shift = 0;
  bool has_table = false;            // tells of the place
  bool outermost = false;            // by that table
  std::vector<uint64_t> words = {};  // addresses of made-up ones that were read
};

int FrameRules::FindProcInfo(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t* info, int need,
                             void* arg) {
  auto asked = static_cast<Asked*>(arg);
  const Module* m = asked->modules.Find(ip);
  if (!m || !m->unwind_table) return -UNW_ENOINFO;
  unw_dyn_info_t table;
  std::memset(&table, 0, sizeof table);
  table.format = UNW_INFO_FORMAT_REMOTE_TABLE;
  table.start_ip = m->begin;
  table.end_ip = m->end;
  table.u.rti.segbase = m->unwind_header;
  table.u.rti.table_data = m->unwind_table;
  table.u.rti.table_len = m->unwind_entries;  // entries of 8 bytes, counted in words of 8
  const int found = _Ux86_64_dwarf_search_unwind_table(space, ip, &table, info, need, arg);
  asked->has_table |= found == 0;
  return found;
}

int FrameRules::AccessMemory(unw_addr_space_t, unw_word_t address, unw_word_t* value, int write,
                             void* arg) {
  auto asked = static_cast<Asked*>(arg);
  if (write) return -UNW_EINVAL;
  if (asked->made_up && Near(address, asked->shift)) {
    if (asked->words.size() == kMaxWords) return -UNW_EINVAL;
    asked->words.push_back(address);
    *value = MadeUpWord(address);
    return 0;
  }
  uint64_t word;
  if (!asked->pages.Word(address, asked->modules.Find(address), &word)) return -UNW_EINVAL;
  *value = word;
  return 0;
}

int FrameRules::AccessRegister(unw_addr_space_t, unw_regnum_t number, unw_word_t* value, int write,
                               void* arg) {
  if (write) return -UNW_EREADONLYREG;
  *value = 0;  // caller-saved: not known, and no rule needs them
  for (size_t i = 0; i < kCount; ++i)
    if (kNumbers[i] == number) *value = static_cast<Asked*>(arg)->registers.*kRegisters[i];
  return 0;
}

FrameRules::FrameRules(Pages& pages, Modules& modules) : pages_(pages), modules_(modules) {
  accessors_.find_proc_info = FindProcInfo;
  accessors_.put_unwind_info = PutUnwindInfo;
  accessors_.get_dyn_info_list_addr = DynInfoList;
  accessors_.access_mem = AccessMemory;
  accessors_.access_reg = AccessRegister;
  accessors_.access_fpreg = AccessFloat;
  accessors_.resume = Resume;
  accessors_.get_proc_name = ProcName;
  space_ = unw_create_addr_space(&accessors_, 0);
  unw_set_caching_policy(space_, UNW_CACHE_NONE);
}

FrameRules::~FrameRules() { unw_destroy_addr_space(space_); }

bool FrameRules::Ask(Asked* asked, Registers* up) {
  unw_cursor_t cursor;
  if (unw_init_remote(&cursor, space_, asked) != 0) return false;
  const int step = unw_step(&cursor);
  asked->outermost = asked->has_table && step == 0;
  if (step <= 0) return false;
  for (size_t i = 0; i < kCount; ++i) {
    unw_word_t value = 0;
    if (unw_get_reg(&cursor, kNumbers[i], &value) != 0) value = 0;
    up->*kRegisters[i] = value;
  }
  return up->rip != 0;
}

FrameRules::Rule FrameRules::Try(uint64_t rip, bool called, uint64_t shift) {
  Registers from, up;
  for (size_t i = 1; i < kCount; ++i) from.*kRegisters[i] = MadeUp(i, shift);
  from.rip = rip - called;  // libunwind takes the first frame for one that made no call
  Asked asked = {pages_, modules_, from, true, shift};
  if (!Ask(&asked, &up)) return asked.outermost ? Rule{Rule::kEnd, {}} : Rule();
  if (!asked.has_table) return {};
  Rule rule;
  for (size_t i = 0; i < kCount; ++i) {
    Value& v = rule.values[i];
    uint64_t value = up.*kRegisters[i];
    if (value == 0) continue;
    v.kind = Value::kSum;
    const auto word = std::find_if(asked.words.begin(), asked.words.end(),
                                   [&](uint64_t address) { return MadeUpWord(address) == value; });
    if (word != asked.words.end()) {
      v.kind = Value::kWord;
      value = *word;
    }
    // Else it follows from a word, or by another way than a sum.
    v.base = static_cast<uint8_t>(Near(value, shift));
    if (v.base == 0) return {};
    v.offset = value - MadeUp(v.base, shift);
  }
  rule.kind = Rule::kKnown;
  return rule;
}

FrameRules::Rule FrameRules::Learn(uint64_t rip, bool called) {
  const Rule rule = Try(rip, called, 0);
  // What goes by a register's bits, as aligning it does, is no sum.
  return rule == Try(rip, called, 0x1238) ? rule : Rule();
}

bool FrameRules::Up(Registers* registers, bool called) {
  const uint64_t key = registers->rip << 1 | called;
  auto known = rules_.find(key);
  if (known == rules_.end()) {
    if (rules_.size() > kMaxRules) rules_.clear();
    known = rules_.emplace(key, Learn(registers->rip, called)).first;
  }
  const Rule& rule = known->second;
  if (rule.kind == Rule::kAsk) {
    Registers from = *registers;
    from.rip -= called;
    Asked asked = {pages_, modules_, from, false};
    return Ask(&asked, registers);
  }
  if (rule.kind == Rule::kEnd) return false;
  Registers up;
  for (size_t i = 0; i < kCount; ++i) {
    const Value& v = rule.values[i];
    uint64_t value = registers->*kRegisters[v.base] + v.offset;
    if (v.kind == Value::kZero) continue;
    if (v.kind == Value::kWord) {
      const bool lasting = modules_.Find(value);
      // A register that cannot be had is not missed but where it is used.
      if (!pages_.Word(value, lasting, &value)) {
        if (i == 0) return false;
        value = 0;
      }
    }
    up.*kRegisters[i] = value;
  }
  *registers = up;
  return up.rip != 0;
}

}  // namespace green::inspect
