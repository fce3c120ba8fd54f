#include "base/message.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/check.h"
#include "base/raw_syscall.h"

namespace green {

namespace {

bool g_stderr_noted = false;  // before that, as in libgreen's unit tests, 2 is stderr
struct stat g_stderr;         // st_mode 0: there was none

// A program that was started without stderr, or has closed it, may have any file of its own at 2: a
// database, a connection. Another file than at load is taken for stderr only if it looks like a
// log: a device (a terminal), or open for writing alone.
bool IsStderr() {
  if (!g_stderr_noted) return true;
  if (!g_stderr.st_mode) return false;
  struct stat now = {};
  if (RawSyscall(SYS_fstat, 2, &now) != 0) return false;
  if (now.st_dev == g_stderr.st_dev && now.st_ino == g_stderr.st_ino) return true;
  if (S_ISCHR(now.st_mode)) return true;
  const long flags = RawSyscall(SYS_fcntl, 2, F_GETFL);
  return !IsError(flags) && (flags & O_ACCMODE) == O_WRONLY;
}

}  // namespace

void NoteStderr() {
  if (RawSyscall(SYS_fstat, 2, &g_stderr) != 0) g_stderr.st_mode = 0;
  g_stderr_noted = true;
}

Message::Message() { *this << "libgreen: "; }

Message& Message::operator<<(const char* s) {
  for (; s && *s; ++s) Put(*s);
  return *this;
}

Message& Message::operator<<(unsigned long v) {
  char digits[24];
  int n = 0;
  do digits[n++] = static_cast<char>('0' + v % 10);
  while (v /= 10);
  while (n) Put(digits[--n]);
  return *this;
}

Message& Message::operator<<(long v) {
  if (v < 0) {
    Put('-');
    return *this << (0UL - static_cast<unsigned long>(v));
  }
  return *this << static_cast<unsigned long>(v);
}

Message& Message::Hex(uintptr_t v) {
  *this << "0x";
  int shift = 60;
  while (shift > 0 && ((v >> shift) & 15) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) Put("0123456789abcdef"[(v >> shift) & 15]);
  return *this;
}

void Message::Write() {
  text_[size_++] = '\n';
  if (IsStderr()) RawSyscall(SYS_write, 2, text_, size_);
}

void CheckFailed(const char* what, const char* file, int line) {
  (Message() << "check failed: " << what << " at " << file << ":" << line).Write();
  // The default action, whatever handler the program has: this process is not to be trusted.
  struct {
    void* handler;
    unsigned long flags;
    void* restorer;
    unsigned long mask;
  } dfl = {nullptr, 0, nullptr, 0};
  RawSyscall(SYS_rt_sigaction, SIGABRT, &dfl, nullptr, 8);
  unsigned long none = 0;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, 8);
  RawSyscall(SYS_tgkill, RawSyscall(SYS_getpid), RawSyscall(SYS_gettid), SIGABRT);
  for (;;) RawSyscall(SYS_exit_group, 134);
}

}  // namespace green
