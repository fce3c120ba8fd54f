#include "syscalls/new_code.h"

#include "arch/x86_64/vector_state.h"
#include "syscalls/handlers.h"

namespace green {
namespace {

// Looks after which a mapping counts as no object of the loader's.
constexpr uint16_t kMaxLooks = 1000;

bool (*g_hook)() = nullptr;

}  // namespace

void SetNewCodeHook(bool (*hook)()) { g_hook = hook; }

void NoteCodeMapped() { CurrentTask()->new_code_looks = kMaxLooks; }

void LookAtNewCode() {
  if (CurrentCarrier()->native) return;
  Task* t = CurrentTask();
  const uint16_t left = t->new_code_looks;
  // The look may wait for the loader's lock, and so come by here again.
  t->new_code_looks = 0;
  alignas(16) unsigned char area[kSseAreaSize];
  SaveSse(area);
  const bool found = g_hook();
  RestoreSse(area);
  // A handler that ran meanwhile may have called dlopen itself.
  if (!found && !t->new_code_looks) t->new_code_looks = static_cast<uint16_t>(left - 1);
}

// The loader's last call before a new object's code can run. The look is the dispatcher's.
long SysMprotect(SyscallFrame& f) { return RawOutside(f); }

}  // namespace green
