// What libgreen does when it is loaded, before the program's own code runs: all else waits for the
// first thread.
#include "base/message.h"
#include "interpose/follow.h"

namespace green {
namespace {

__attribute__((constructor)) void OnLoad() {
  NoteStderr();
  Follow();
}

}  // namespace
}  // namespace green
