#include "cli/doctor/machine.h"

#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/compare/children.h"
#include "cli/compare/modes.h"
#include "cli/preload.h"

namespace green::cli {
namespace {

constexpr double kPatience = 60;

std::string FirstWord(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

std::string StatusField(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  }
  return {};
}

Finding Start(const std::string& library) {
  std::error_code error;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error)
    return {Finding::kBad, "there is no /proc", "mount it: doctor, ps and their kin read it"};
  Children children;
  const Output output;
  const pid_t pid = children.Start(self, {"green", kThreadProbe},
                                   EnvironmentOf(Modes().back(), library, Preloads()), output);
  for (const double until = Now() + kPatience; !children.Status(pid) && Now() < until;) Sleep(0.1);
  const std::string text = output.Text();
  const LibraryLog log = ReadLibraryLog(text);
  const std::string line = text.substr(0, text.find('\n'));
  if (!children.Status(pid)) {
    return {Finding::kBad, "a program with one thread hangs under libgreen", "report it: " + line};
  }
  if (*children.Status(pid) != 0) {
    return {Finding::kBad,
            "a program with one thread fails under libgreen, " + StatusText(*children.Status(pid)),
            line};
  }
  if (log.refusal) return {Finding::kBad, "libgreen does not start here: " + *log.refusal, ""};
  if (!log.started) {
    return {Finding::kBad, "libgreen is not loaded here", line};
  }
  return {Finding::kGood, line.substr(line.find("started")), ""};
}

Finding FsGsBase() {
  constexpr unsigned long kFsGsBase = 1 << 1;  // HWCAP2_FSGSBASE, asm/hwcap2.h
  if (getauxval(AT_HWCAP2) & kFsGsBase) {
    return {Finding::kGood, "CPU and kernel have FSGSBASE: a switch needs no system call", ""};
  }
  return {Finding::kNote, "no FSGSBASE: each switch between threads costs a system call more",
          "use a CPU of 2012 or later and Linux 5.9 or later, without nofsgsbase"};
}

// Linux 6.13, include/uapi/asm-generic/mman-common.h.
constexpr int kMadvGuardInstall = 102;

Finding Mappings() {
  const std::string most = FirstWord("/proc/sys/vm/max_map_count");
  constexpr size_t kPage = 4096;
  void* page = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const bool guards = page != MAP_FAILED && madvise(page, kPage, kMadvGuardInstall) == 0;
  if (page != MAP_FAILED) munmap(page, kPage);
  if (guards) {
    return {Finding::kGood, "stack guards cost no mapping (MADV_GUARD_INSTALL)", ""};
  }
  return {Finding::kNote,
          "the kernel lacks MADV_GUARD_INSTALL (Linux 6.13): each stack's guard costs mappings, of "
          "which a process may have " +
              most,
          "for more than about " + std::to_string(std::atol(most.c_str()) / 2) +
              " threads at once: sysctl vm.max_map_count=4194304"};
}

Finding Files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::string text = std::to_string(limit.rlim_cur) + " open files at once (ulimit -n)";
  constexpr rlim_t kFew = 4096;
  if (limit.rlim_cur > kFew) return {Finding::kGood, text, ""};
  return {Finding::kNote, text + ", so at most as many connections",
          limit.rlim_max > limit.rlim_cur
              ? "for more: ulimit -n " + std::to_string(limit.rlim_max)
              : "for more: the hard limit must be raised, by root (limits.conf(5), LimitNOFILE= of "
                "a service, --ulimit of a container)"};
}

Finding Memory() {
  rlimit space{};
  getrlimit(RLIMIT_AS, &space);
  if (space.rlim_cur != RLIM_INFINITY) {
    return {Finding::kNote,
            "the address space is limited to " + std::to_string(space.rlim_cur >> 20) +
                " MiB (ulimit -v); stacks are reserved in it",
            "for many threads: ulimit -v unlimited, or a small GREEN_STACK"};
  }
  constexpr char kNever[] = "2";  // Documentation/mm/overcommit-accounting
  if (FirstWord("/proc/sys/vm/overcommit_memory") == kNever) {
    return {Finding::kNote, "the kernel does not overcommit memory (vm.overcommit_memory=2)",
            "if pthread_create fails with EAGAIN: a smaller GREEN_STACK"};
  }
  return {Finding::kGood, "no limit on the address space", ""};
}

Finding Dispatch() {
  // Off, which it is: only a kernel that knows it agrees.
  if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0) == 0)
    return {Finding::kGood, "GREEN_DOOR=sud can be used: the kernel has Syscall User Dispatch", ""};
  return {Finding::kNote,
          "the kernel lacks Syscall User Dispatch (Linux 5.11): GREEN_DOOR=sud cannot be used",
          "system calls in generated code hold their OS thread while they block"};
}

Finding Seccomp() {
  constexpr char kFilter[] = "2";  // proc(5)
  if (StatusField("Seccomp") != kFilter) return {Finding::kGood, "no seccomp filter", ""};
  return {Finding::kNote,
          "a seccomp filter is in force, as in most containers; what it refuses to libgreen is "
          "done another way or by the kernel",
          ""};
}

}  // namespace

Findings ExamineMachine(const std::string& library) {
  return {Start(library), FsGsBase(), Mappings(), Files(), Memory(), Dispatch(), Seccomp()};
}

}  // namespace green::cli
