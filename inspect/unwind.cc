#include "inspect/unwind.h"

#include <libunwind.h>
#include <ucontext.h>

#include <cstring>
#include <unordered_map>

extern "C" int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t, unw_word_t, unw_dyn_info_t*,
                                                  unw_proc_info_t*, int, void*);

namespace green::inspect {
namespace {

constexpr uint64_t kPage = 4096;
constexpr size_t kMaxPages = 16384;
constexpr size_t kCopiedPages = 8;
// Of as many places in the code libunwind keeps the unwind rules: a server's stacks have more than
// its usual 128.
constexpr size_t kCachedRules = 16384;

// Memory by the page: code and unwind tables stay, stacks are forgotten between walks.
class Pages {
 public:
  explicit Pages(const Memory& memory) : memory_(memory) {}

  bool Word(uint64_t address, bool lasting, uint64_t* out) {
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
  void ForgetStack() { stack_.clear(); }
  // Whole pages from that of rsp on, as many as there are.
  void CopyStack(uint64_t rsp) {
    ForgetStack();
    std::vector<Piece> pieces;
    for (size_t i = 0; i < kCopiedPages; ++i) {
      std::string& page = stack_[rsp / kPage + i];
      page.resize(kPage);
      pieces.push_back({(rsp / kPage + i) * kPage, page.data(), kPage});
    }
    memory_.ReadMany(pieces);
    for (const Piece& p : pieces)
      if (!p.read) stack_.erase(p.address / kPage);
  }

 private:
  const Memory& memory_;
  std::unordered_map<uint64_t, std::string> lasting_, stack_;
};

struct Walker {
  Pages pages;
  Modules& modules;
  Registers registers;
};

// libunwind knows the end of a signal handler only by an unwind table, which need not be there: it
// returns to mov $15,%rax; syscall (rt_sigreturn(2); also libgcc's linux-unwind.h).
bool IsSignalFrame(Walker& walker, uint64_t ip) {
  uint64_t code[2] = {};
  const bool lasting = walker.modules.Find(ip);
  return walker.pages.Word(ip, lasting, &code[0]) && walker.pages.Word(ip + 1, lasting, &code[1]) &&
         code[0] == 0x0f0000000fc0c748 && code[1] == 0x050f0000000fc0c7;
}

// The registers of what the signal interrupted: the kernel's frame, of which the handler has taken
// the return address, begins with them.
bool Interrupted(Walker& walker, uint64_t frame, Registers* out) {
  const auto get = [&](int number, uint64_t* to) {
    return walker.pages.Word(frame + offsetof(ucontext_t, uc_mcontext.gregs) + 8ul * number, false,
                             to);
  };
  return get(REG_RIP, &out->rip) && get(REG_RSP, &out->rsp) && get(REG_RBP, &out->rbp) &&
         get(REG_RBX, &out->rbx) && get(REG_R12, &out->r12) && get(REG_R13, &out->r13) &&
         get(REG_R14, &out->r14) && get(REG_R15, &out->r15);
}

int FindProcInfo(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t* info, int need,
                 void* arg) {
  const Module* m = static_cast<Walker*>(arg)->modules.Find(ip);
  if (!m || !m->unwind_table) return -UNW_ENOINFO;
  unw_dyn_info_t table;
  std::memset(&table, 0, sizeof table);
  table.format = UNW_INFO_FORMAT_REMOTE_TABLE;
  table.start_ip = m->begin;
  table.end_ip = m->end;
  table.u.rti.segbase = m->unwind_header;
  table.u.rti.table_data = m->unwind_table;
  table.u.rti.table_len = m->unwind_entries;  // entries of 8 bytes, counted in words of 8
  return _Ux86_64_dwarf_search_unwind_table(space, ip, &table, info, need, arg);
}

void PutUnwindInfo(unw_addr_space_t, unw_proc_info_t*, void*) {}

int DynInfoList(unw_addr_space_t, unw_word_t*, void*) { return -UNW_ENOINFO; }

int AccessMemory(unw_addr_space_t, unw_word_t address, unw_word_t* value, int write, void* arg) {
  auto walker = static_cast<Walker*>(arg);
  if (write) return -UNW_EINVAL;
  const bool lasting = walker->modules.Find(address);
  uint64_t word;
  if (!walker->pages.Word(address, lasting, &word)) return -UNW_EINVAL;
  *value = word;
  return 0;
}

int AccessRegister(unw_addr_space_t, unw_regnum_t number, unw_word_t* value, int write, void* arg) {
  const Registers& r = static_cast<Walker*>(arg)->registers;
  if (write) return -UNW_EREADONLYREG;
  switch (number) {
    case UNW_X86_64_RIP: *value = r.rip; return 0;
    case UNW_X86_64_RSP: *value = r.rsp; return 0;
    case UNW_X86_64_RBP: *value = r.rbp; return 0;
    case UNW_X86_64_RBX: *value = r.rbx; return 0;
    case UNW_X86_64_R12: *value = r.r12; return 0;
    case UNW_X86_64_R13: *value = r.r13; return 0;
    case UNW_X86_64_R14: *value = r.r14; return 0;
    case UNW_X86_64_R15: *value = r.r15; return 0;
    default: *value = 0; return 0;  // caller-saved: not known, and no rule needs them
  }
}

int AccessFloat(unw_addr_space_t, unw_regnum_t, unw_fpreg_t*, int, void*) { return -UNW_EBADREG; }
int Resume(unw_addr_space_t, unw_cursor_t*, void*) { return -UNW_EINVAL; }
int ProcName(unw_addr_space_t, unw_word_t, char*, size_t, unw_word_t*, void*) {
  return -UNW_ENOINFO;
}

}  // namespace

struct Unwinder::State {
  Walker walker;
  unw_accessors_t accessors;
  unw_addr_space_t space;
};

Unwinder::Unwinder(const Memory& memory, Modules& modules)
    : state_(new State{{Pages(memory), modules, {}}, {}, nullptr}) {
  state_->accessors.find_proc_info = FindProcInfo;
  state_->accessors.put_unwind_info = PutUnwindInfo;
  state_->accessors.get_dyn_info_list_addr = DynInfoList;
  state_->accessors.access_mem = AccessMemory;
  state_->accessors.access_reg = AccessRegister;
  state_->accessors.access_fpreg = AccessFloat;
  state_->accessors.resume = Resume;
  state_->accessors.get_proc_name = ProcName;
  state_->space = unw_create_addr_space(&state_->accessors, 0);
  unw_set_caching_policy(state_->space, UNW_CACHE_GLOBAL);
  unw_set_cache_size(state_->space, kCachedRules, 0);
}

Unwinder::~Unwinder() { unw_destroy_addr_space(state_->space); }

void Unwinder::CopyStack(uint64_t rsp) { state_->walker.pages.CopyStack(rsp); }

std::vector<uint64_t> Unwinder::Walk(const Registers& registers, size_t limit) {
  state_->walker.pages.ForgetStack();
  return WalkCopy(registers, limit);
}

std::vector<uint64_t> Unwinder::WalkCopy(const Registers& registers, size_t limit) {
  std::vector<uint64_t> frames;
  Walker& walker = state_->walker;
  walker.registers = registers;
  unw_cursor_t cursor;
  if (unw_init_remote(&cursor, state_->space, &walker) != 0) return frames;
  unw_word_t last_sp = 0;
  bool interrupted = false;  // what runs there made no call
  while (frames.size() < limit) {
    unw_word_t ip = 0, sp = 0;
    if (unw_get_reg(&cursor, UNW_REG_IP, &ip) != 0 || ip == 0) break;
    if (unw_get_reg(&cursor, UNW_REG_SP, &sp) != 0) break;
    const bool signal_frame = IsSignalFrame(walker, ip);
    // Without a table for the code libunwind guesses; such frames are not shown.
    const Module* m = walker.modules.Find(ip);
    frames.push_back(ip + (!frames.empty() && (signal_frame || interrupted)));
    interrupted = signal_frame;
    if (signal_frame) {
      if (!Interrupted(walker, sp, &walker.registers) ||
          unw_init_remote(&cursor, state_->space, &walker) != 0)
        break;
      last_sp = 0;
      continue;
    }
    if (!m || !m->unwind_table) break;
    if (frames.size() > 1 && sp == last_sp) break;
    last_sp = sp;
    if (unw_step(&cursor) <= 0) break;
  }
  return frames;
}

std::optional<Registers> RegistersOf(const Memory& memory, const Inspect& tables,
                                     const TaskView& task) {
  if (task.in_call) {
    const Call& c = task.call;
    return Registers{c.site, c.rsp, c.rbp, c.rbx, c.r12, c.r13, c.r14, c.r15};
  }
  if (task.state == TaskState::kRunning || task.state == TaskState::kInKernel) return {};
  const InspectContext& c = tables.context;
  std::string saved(c.size, '\0');
  if (!memory.Read(task.context, saved.data(), saved.size())) return {};
  const auto word = [&](uint32_t offset) {
    uint64_t v;
    std::memcpy(&v, saved.data() + offset, sizeof v);
    return v;
  };
  return Registers{word(c.rip), task.context + c.size, word(c.rbp), word(c.rbx),
                   word(c.r12), word(c.r13),           word(c.r14), word(c.r15)};
}

}  // namespace green::inspect
