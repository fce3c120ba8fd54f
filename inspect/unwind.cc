#include "inspect/unwind.h"

#include <ucontext.h>

#include <cstring>

namespace green::inspect {
namespace {

// What is copied of a stack while its thread is stopped, and of each of many that are parked.
constexpr size_t kCopied = 8 * 4096, kCopiedOfEach = 1024;

}  // namespace

Unwinder::Unwinder(const Memory& memory, Modules& modules)
    : pages_(memory), modules_(modules), rules_(pages_, modules) {}

void Unwinder::CopyStack(uint64_t rsp) { pages_.CopyStacks({rsp}, kCopied); }

void Unwinder::CopyStacks(const std::vector<uint64_t>& rsps) {
  pages_.CopyStacks(rsps, kCopiedOfEach);
}

// libunwind knows the end of a signal handler only by an unwind table, which need not be there: it
// returns to mov $15,%rax; syscall (rt_sigreturn(2); also libgcc's linux-unwind.h).
bool Unwinder::IsSignalFrame(uint64_t ip) {
  uint64_t code[2] = {};
  const bool lasting = modules_.Find(ip);
  return pages_.Word(ip, lasting, &code[0]) && pages_.Word(ip + 1, lasting, &code[1]) &&
         code[0] == 0x0f0000000fc0c748 && code[1] == 0x050f0000000fc0c7;
}

// The registers of what the signal interrupted: the kernel's frame, of which the handler has taken
// the return address, begins with them.
bool Unwinder::Interrupted(Registers* r) {
  const uint64_t frame = r->rsp;
  const auto get = [&](int number, uint64_t* to) {
    return pages_.Word(frame + offsetof(ucontext_t, uc_mcontext.gregs) + 8ul * number, false, to);
  };
  return get(REG_RIP, &r->rip) && get(REG_RSP, &r->rsp) && get(REG_RBP, &r->rbp) &&
         get(REG_RBX, &r->rbx) && get(REG_R12, &r->r12) && get(REG_R13, &r->r13) &&
         get(REG_R14, &r->r14) && get(REG_R15, &r->r15);
}

std::vector<uint64_t> Unwinder::Walk(const Registers& registers, size_t limit) {
  pages_.ForgetStacks();
  return WalkCopy(registers, limit);
}

std::vector<uint64_t> Unwinder::WalkCopy(Registers r, size_t limit) {
  std::vector<uint64_t> frames;
  uint64_t last_sp = 0;
  bool interrupted = false;  // what runs there made no call
  while (frames.size() < limit && r.rip) {
    const bool signal_frame = IsSignalFrame(r.rip);
    // Without a table for the code libunwind guesses; such frames are not shown.
    const Module* m = modules_.Find(r.rip);
    const bool called = !frames.empty() && !interrupted;
    frames.push_back(r.rip + (!frames.empty() && (signal_frame || interrupted)));
    interrupted = signal_frame;
    if (signal_frame) {
      if (!Interrupted(&r)) break;
      last_sp = 0;
      continue;
    }
    if (!m || !m->unwind_table) break;
    if (frames.size() > 1 && r.rsp == last_sp) break;
    last_sp = r.rsp;
    if (!rules_.Up(&r, called)) break;
  }
  return frames;
}

std::vector<std::optional<Registers>> RegistersOf(const Memory& memory, const Inspect& tables,
                                                  const std::vector<TaskView*>& tasks) {
  const InspectContext& c = tables.context;
  std::vector<std::optional<Registers>> all(tasks.size());
  std::string saved(tasks.size() * c.size, '\0');
  std::vector<Piece> pieces;
  std::vector<size_t> of;
  for (size_t i = 0; i < tasks.size(); ++i) {
    const TaskView& t = *tasks[i];
    if (t.in_call) {
      const Call& call = t.call;
      all[i] = {call.site, call.rsp, call.rbp, call.rbx, call.r12, call.r13, call.r14, call.r15};
    } else if (t.state != TaskState::kRunning && t.state != TaskState::kInKernel) {
      pieces.push_back({t.context, saved.data() + of.size() * c.size, c.size});
      of.push_back(i);
    }
  }
  memory.ReadMany(pieces);
  for (size_t k = 0; k < of.size(); ++k) {
    if (!pieces[k].read) continue;
    const auto word = [&](uint32_t offset) {
      uint64_t v;
      std::memcpy(&v, saved.data() + k * c.size + offset, sizeof v);
      return v;
    };
    all[of[k]] = {word(c.rip), tasks[of[k]]->context + c.size,
                  word(c.rbp), word(c.rbx),
                  word(c.r12), word(c.r13),
                  word(c.r14), word(c.r15)};
  }
  return all;
}

}  // namespace green::inspect
