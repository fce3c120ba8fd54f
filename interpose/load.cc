// What libgreen does when it is loaded, before the program's own code runs: all else waits for the
// first thread.
#include "base/message.h"
#include "interpose/follow.h"
#include "interpose/start.h"

// glibc's, behind pthread_atfork(3).
extern "C" int __register_atfork(void (*prepare)(), void (*parent)(), void (*child)(), void* dso)
    __attribute__((weak));

namespace green {
namespace {

__attribute__((constructor)) void OnLoad() {
  NoteStderr();
  Follow();
  if (__register_atfork) __register_atfork(BeforeFork, nullptr, InForkedChild, nullptr);
}

}  // namespace
}  // namespace green
