// Coverage: pipes, FIFOs and stdio.
#include <err.h>
#include <error.h>
#include <fmtmsg.h>
#include <linux/openat2.h>
#include <mntent.h>
#include <pwd.h>
#include <stdio_ext.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <wchar.h>

#include "tests/coverage/cover.h"

static FILE* stream;
static char* line;
static size_t line_size;
static wchar_t wide[64];

// "r": of an empty pipe; "w": of a full one, unbuffered.
static void make_stream(const char* mode) {
  make_pipe();
  if (*mode == 'w') fill(fd[1]);
  stream = fdopen(fd[*mode == 'w'], mode);
  CHECK(stream);
  if (*mode == 'w') setvbuf(stream, NULL, _IONBF, 0);
}

static void make_buffered(void) {
  make_full_pipe();
  stream = fdopen(fd[1], "w");
  CHECK(stream);
  CHECK_EQ(fwrite("hello", 1, 5, stream), 5);
}

// stdin of an empty pipe, stdout of a full one.
static void make_standard(int number) {
  make_pipe();
  if (number == 1) fill(fd[1]);
  if (number == 1) setvbuf(stdout, NULL, _IONBF, 0);
  CHECK_EQ(dup2(fd[number], number), number);
}

static void make_standard_error(void) {
  make_full_pipe();
  CHECK_EQ(dup2(fd[1], 2), 2);
}

static int scan(int (*function)(FILE*, const char*, va_list), const char* format, ...) {
  va_list list;
  va_start(list, format);
  int r = function(stream, format, list);
  va_end(list);
  return r;
}

static int wide_scan(int (*function)(FILE*, const wchar_t*, va_list), const wchar_t* format, ...) {
  va_list list;
  va_start(list, format);
  int r = function(stream, format, list);
  va_end(list);
  return r;
}

static int scan_stdin(int (*function)(const char*, va_list), const char* format, ...) {
  va_list list;
  va_start(list, format);
  int r = function(format, list);
  va_end(list);
  return r;
}

static int wide_scan_stdin(int (*function)(const wchar_t*, va_list), const wchar_t* format, ...) {
  va_list list;
  va_start(list, format);
  int r = function(format, list);
  va_end(list);
  return r;
}

#define PRINTS(name, call)                   \
  static int name(const char* format, ...) { \
    va_list list;                            \
    va_start(list, format);                  \
    int r = call;                            \
    va_end(list);                            \
    return r;                                \
  }
PRINTS(vwide_stream, vfwprintf(stream, L"%s", list))
PRINTS(vwide_stdout, vwprintf(L"%s", list))
PRINTS(vprint_fd, vdprintf(fd[1], format, list))
PRINTS(vprint_stream, vfprintf(stream, format, list))
PRINTS(vprint_stdout, vprintf(format, list))

static void vwarn_of(const char* format, ...) {
  va_list list;
  va_start(list, format);
  vwarn(format, list);
  va_end(list);
}

static long reject_option(void) {
  char* argv[] = {(char*)"hello", (char*)"-x", NULL};
  return getopt(2, argv, "y");
}

static void signal_info(void) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  info.si_signo = SIGINT;
  psiginfo(&info, "hello");
}

static struct passwd entry = {(char*)"hello", (char*)"x", 7, 8, (char*)"", (char*)"", (char*)""};
static fpos_t start;

static void say(int to, const char* text) { write_all(to, text, strlen(text)); }

static void* put_one(void* unused) {
  fputc('x', stream);
  return unused;
}
static void fputc_later(void) { spawn(put_one, NULL); }

static void drain_slowly(int from, size_t size) {
  static char page[5000];
  while (size) {
    ssize_t now = read(from, page, size < sizeof page ? size : sizeof page);
    CHECK(now > 0);
    size -= (size_t)now;
  }
}

static void make_fifo(void) {
  unlink("fifo");  // of a case that was cancelled
  CHECK_OK(mkfifo("fifo", 0600));
}

static void open_fifo(int flags) {
  CHECK(open("fifo", flags) >= 0);
  CHECK_OK(unlink("fifo"));
}

static long open_how(const char* name) {
  struct open_how how;
  memset(&how, 0, sizeof how);
  return syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof how);
}

// The same file by a description of its own. proc(5), /proc/pid/fd.
static int reopen(int number, int flags) {
  char name[64];
  snprintf(name, sizeof name, "/proc/self/fd/%d", number);
  return open(name, flags);
}

static void reopen_pipe(int end, int flags) {
  make_pipe();
  if (end == 1) fill(fd[1]);
  CHECK((fd[end] = reopen(fd[end], flags)) >= 0);
}

// The reader's description blocks; the one it comes from does not.
static void reopen_fifo(void) {
  make_fifo();
  CHECK((fd[1] = open("fifo", O_RDWR | O_NONBLOCK)) >= 0);
  CHECK((fd[0] = reopen(fd[1], O_RDONLY)) >= 0);
  CHECK_OK(unlink("fifo"));
}

static void make_fifo_path(void) {
  make_fifo();
  CHECK((fd[0] = open("fifo", O_PATH)) >= 0);
}

static void make_peer_pipe(void) {
  int other[2];
  CHECK_OK(pipe(other));
  peer = other[1];
}

static void make_file(void) {
  peer = open("file", O_CREAT | O_RDWR | O_TRUNC, 0600);
  CHECK(peer >= 0);
  write_all(peer, data, 64);
  CHECK_EQ(lseek(peer, 0, SEEK_SET), 0);
}

#define GOES_ON                                                                             \
  "flockfile", "getchar_locked", "error", "fmtmsg", "psiginfo", "getopt", "setmntent_fifo", \
      "sendfile_full_pipe", "sendfile64_full_pipe", "syscall_open_fifo", "syscall_openat2_fifo"
#define FAMILY "tests/coverage/pipes.inc"
#include "tests/coverage/cover_main.h"
