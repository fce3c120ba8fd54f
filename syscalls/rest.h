// What is left of a transfer that the kernel has cut short for a signal which was for others.
// Natively that signal would have found another thread, and the call would have moved all. So the
// call goes on with what is left, in parts, until all is done, or it ends as it natively would: a
// part that comes short by itself, an error, the end of the socket's time, a signal that is for the
// caller.
#pragma once

#include "syscalls/call.h"

namespace green {

// The call with these arguments has returned `done`, more than 0: what the program gets. Of calls
// that are no such transfers it is `done`. blocked: as in BlockingCall. Inside libgreen.
long RestOfTransfer(long nr, const long* args, long done, SigSet blocked);

}  // namespace green
