// Patches every system call of this very process's libraries, then uses them in earnest.
#include "interpose/patcher.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#define UNW_LOCAL_ONLY
#include <libunwind.h>

namespace {

std::atomic<long> calls;
std::atomic<int> wrong_numbers;
thread_local void (*on_getppid)();

}  // namespace

extern "C" {
int green_test_raw_calls;

__attribute__((used)) void green_test_on_syscall(const green::Slot* slot, int nr) {
  ++calls;
  if (slot->nr != -1 && slot->nr != nr) ++wrong_numbers;
  if (nr == SYS_getppid && on_getppid) on_getppid();
}
}

namespace green {
namespace {

bool All(int) { return true; }

Patcher patcher;

double Milliseconds(const timespec& a, const timespec& b) {
  return (b.tv_sec - a.tv_sec) * 1e3 + (b.tv_nsec - a.tv_nsec) / 1e6;
}

// The first test to run patches, in a process that has one thread.
class PatcherTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (patcher.stats().objects) return;
    timespec t0, t1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    ASSERT_TRUE(patcher.PatchAllLoaded(All));
    clock_gettime(CLOCK_MONOTONIC, &t1);
    const PatchStats s = patcher.stats();
    printf("%d objects, %d sites, %d patched, %d not treated, %d unpatchable, %d slots, %.2f ms\n",
           s.objects, s.sites, s.patched, s.not_treated, s.unpatchable, s.slots_used,
           Milliseconds(t0, t1));
  }
  void TearDown() override { EXPECT_EQ(wrong_numbers, 0); }
};

TEST_F(PatcherTest, FindsSlotsForNearlyEverything) {
  const PatchStats s = patcher.stats();
  EXPECT_GT(s.patched, 300);
  EXPECT_EQ(s.patched, s.slots_used);
  EXPECT_LT(s.unpatchable, 5);
  EXPECT_EQ(s.sites, s.patched + s.not_treated + s.unpatchable);
  UnpatchableSite sites[16];
  const int count = std::min(patcher.Unpatchable(sites, 16), 16);
  for (int n = 0; n < count; ++n)
    printf("  %p nr %d: %s\n", sites[n].address, sites[n].nr, ReasonName(sites[n].reason));
}

TEST_F(PatcherTest, CallsGoThroughTheSlots) {
  const long before = calls;
  EXPECT_GT(getppid(), 0);
  EXPECT_EQ(syscall(SYS_getppid), getppid());
  EXPECT_EQ(calls - before, 3);
}

TEST_F(PatcherTest, ErrorsReachErrno) {
  errno = 0;
  EXPECT_EQ(close(-1), -1);
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(read(-1, nullptr, 0), -1);
  EXPECT_EQ(errno, EBADF);
}

TEST_F(PatcherTest, StdioAndFiles) {
  FILE* f = tmpfile();
  ASSERT_NE(f, nullptr);
  for (int n = 0; n < 10000; ++n) ASSERT_GT(fprintf(f, "%d\n", n), 0);
  rewind(f);
  for (int n = 0, v; n < 10000; ++n) {
    ASSERT_EQ(fscanf(f, "%d", &v), 1);
    ASSERT_EQ(v, n);
  }
  fclose(f);
}

TEST_F(PatcherTest, SocketsAndThreads) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  const int raw = green_test_raw_calls;
  std::thread peer([&] {
    char c;
    while (recv(fds[1], &c, 1, 0) == 1) {
      ++c;
      send(fds[1], &c, 1, MSG_NOSIGNAL);
    }
  });
  for (int n = 0; n < 1000; ++n) {
    char c = static_cast<char>(n & 63);
    ASSERT_EQ(send(fds[0], &c, 1, 0), 1);
    ASSERT_EQ(recv(fds[0], &c, 1, 0), 1);
    ASSERT_EQ(c, (n & 63) + 1);
  }
  shutdown(fds[0], SHUT_RDWR);
  peer.join();
  EXPECT_EQ(green_test_raw_calls - raw, 2);  // clone3 came back on two stacks
  close(fds[0]);
  close(fds[1]);
}

TEST_F(PatcherTest, ForkVforkSpawnSystem) {
  for (int n = 0; n < 20; ++n) {
    const pid_t child = fork();
    if (child == 0) _exit(n);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(WEXITSTATUS(status), n);
  }
  const pid_t child = vfork();
  if (child == 0) {
    execl("/bin/true", "true", nullptr);
    _exit(1);
  }
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(WEXITSTATUS(system("exit 7")), 7);
  FILE* p = popen("echo through a pipe", "r");
  ASSERT_NE(p, nullptr);
  char line[64] = "";
  EXPECT_NE(fgets(line, sizeof line, p), nullptr);
  EXPECT_STREQ(line, "through a pipe\n");
  EXPECT_EQ(pclose(p), 0);
}

std::atomic<int> alarms;

TEST_F(PatcherTest, SignalsInterruptAndReturn) {
  struct sigaction action {};
  action.sa_handler = [](int) { ++alarms; };
  sigaction(SIGALRM, &action, nullptr);
  ualarm(20000, 0);
  EXPECT_EQ(pause(), -1);
  EXPECT_EQ(errno, EINTR);
  EXPECT_EQ(alarms, 1);
  raise(SIGALRM);
  EXPECT_EQ(alarms, 2);
}

TEST_F(PatcherTest, CancellationUnwindsThroughTheSlot) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  struct Guard {
    std::atomic<bool>* flag;
    ~Guard() { *flag = true; }
  };
  static std::atomic<bool> unwound;
  unwound = false;
  pthread_t thread;
  ASSERT_EQ(pthread_create(
                &thread, nullptr,
                [](void* arg) -> void* {
                  Guard guard{&unwound};
                  char c;
                  return reinterpret_cast<void*>(read(*static_cast<int*>(arg), &c, 1));
                },
                &fds[0]),
            0);
  usleep(20000);
  ASSERT_EQ(pthread_cancel(thread), 0);
  void* result = nullptr;
  ASSERT_EQ(pthread_join(thread, &result), 0);
  EXPECT_EQ(result, PTHREAD_CANCELED);
  EXPECT_TRUE(unwound);
  close(fds[0]);
  close(fds[1]);
}

// ---- Unwinding ----

struct Trace {
  uintptr_t pc[64];
  int count = 0;
  bool Reaches(uintptr_t begin, uintptr_t size) const {
    for (int n = 0; n < count; ++n)
      if (pc[n] - begin < size) return true;
    return false;
  }
};

Trace gcc_trace, unwind_trace;

void TraceWithGcc(Trace* trace) {
  trace->count = 0;
  _Unwind_Backtrace(
      [](_Unwind_Context* context, void* arg) {
        auto* t = static_cast<Trace*>(arg);
        if (t->count < 64) t->pc[t->count++] = _Unwind_GetIP(context);
        return _URC_NO_REASON;
      },
      trace);
}

// Loaded apart, so that it does not take libgcc's _Unwind_ functions' place for everybody.
struct Libunwind {
  static constexpr const char* kName = "libunwind.so.8";
  void* const handle = dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  template <typename Function>
  Function* Get(const char* name) const {
    return reinterpret_cast<Function*>(dlsym(handle, name));
  }
  int (*const get_context)(unw_context_t*) = Get<int(unw_context_t*)>("_Ux86_64_getcontext");
  decltype(&unw_init_local) const init_local =
      Get<int(unw_cursor_t*, unw_context_t*)>("_ULx86_64_init_local");
  decltype(&unw_step) const step = Get<int(unw_cursor_t*)>("_ULx86_64_step");
  decltype(&unw_get_reg) const get_reg =
      Get<int(unw_cursor_t*, unw_regnum_t, unw_word_t*)>("_ULx86_64_get_reg");
};

const Libunwind& TheLibunwind() {
  static const Libunwind lib;
  return lib;
}

void TraceWithLibunwind(Trace* trace) {
  const Libunwind& lib = TheLibunwind();
  trace->count = 0;
  unw_context_t context;
  unw_cursor_t cursor;
  lib.get_context(&context);
  lib.init_local(&cursor, &context);
  do {
    unw_word_t ip = 0;
    lib.get_reg(&cursor, UNW_REG_IP, &ip);
    trace->pc[trace->count++] = ip;
  } while (trace->count < 64 && lib.step(&cursor) > 0);
}

// Its own frame must be found behind getppid's slot. Far smaller than this in code.
constexpr uintptr_t kCallerSize = 200;
__attribute__((noinline)) pid_t CallerOfGetppid() {
  const pid_t pid = getppid();
  asm volatile("" ::: "memory");  // no tail call
  return pid;
}

TEST_F(PatcherTest, BothUnwindersSeeThrough) {
  ASSERT_NE(TheLibunwind().step, nullptr);
  on_getppid = [] {
    TraceWithGcc(&gcc_trace);
    TraceWithLibunwind(&unwind_trace);
  };
  EXPECT_GT(CallerOfGetppid(), 0);
  on_getppid = nullptr;
  for (const Trace* t : {&gcc_trace, &unwind_trace}) {
    EXPECT_TRUE(
        t->Reaches(reinterpret_cast<uintptr_t>(green_slots), sizeof(Slot) * GREEN_SLOT_COUNT));
    EXPECT_TRUE(t->Reaches(reinterpret_cast<uintptr_t>(&CallerOfGetppid), kCallerSize));
    EXPECT_GT(t->count, 8);  // up to main and _start
  }
}

int steps, steps_in_slots, steps_lost[2];

// With the trap flag set the CPU stops behind every instruction; the caller must be found at each.
void OnTrap(int, siginfo_t*, void* context) {
  const auto pc = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP];
  ++steps;
  if (!IsInSlots(static_cast<uintptr_t>(pc))) return;
  ++steps_in_slots;
  const auto caller = reinterpret_cast<uintptr_t>(&CallerOfGetppid);
  TraceWithGcc(&gcc_trace);
  steps_lost[0] += !gcc_trace.Reaches(caller, kCallerSize);
  TraceWithLibunwind(&unwind_trace);
  steps_lost[1] += !unwind_trace.Reaches(caller, kCallerSize);
}

TEST_F(PatcherTest, UnwindTablesHoldAtEveryInstruction) {
  struct sigaction action {
  }, old;
  action.sa_sigaction = OnTrap;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGTRAP, &action, &old);
  asm volatile("lea -128(%%rsp),%%rsp; pushfq; orl $0x100,(%%rsp); popfq; lea 128(%%rsp),%%rsp" ::
                   : "memory", "cc");
  CallerOfGetppid();
  asm volatile("lea -128(%%rsp),%%rsp; pushfq; andl $~0x100,(%%rsp); popfq; lea 128(%%rsp),%%rsp" ::
                   : "memory", "cc");
  sigaction(SIGTRAP, &old, nullptr);
  printf("%d steps, %d in slots\n", steps, steps_in_slots);
  EXPECT_GE(steps_in_slots, 5);
  EXPECT_EQ(steps_lost[0], 0);
  EXPECT_EQ(steps_lost[1], 0);
}

// ---- Later passes ----

std::string ObjectPath() {
  Dl_info info;
  dladdr(reinterpret_cast<void*>(&OnTrap), &info);
  const std::string self = info.dli_fname;
  return self.substr(0, self.rfind('/') + 1) + "libpatcher_test_object.so";
}

TEST_F(PatcherTest, LoadedObjectsArePatchedAndTheirSlotsComeBack) {
  const int slots = patcher.stats().slots_used;
  for (int round = 0; round < 20; ++round) {
    void* object = dlopen(ObjectPath().c_str(), RTLD_NOW);
    ASSERT_NE(object, nullptr) << dlerror();
    ASSERT_TRUE(patcher.PatchAllLoaded(All));
    EXPECT_GE(patcher.stats().slots_used, slots + 3);
    const auto getppid_in_object = reinterpret_cast<long (*)()>(dlsym(object, "ObjectGetppid"));
    const auto carry = reinterpret_cast<int (*)()>(dlsym(object, "ObjectCarrySurvives"));
    const auto red_zone = reinterpret_cast<int (*)()>(dlsym(object, "ObjectRedZoneSurvives"));
    const long before = calls;
    EXPECT_EQ(getppid_in_object(), getppid());
    EXPECT_TRUE(carry());
    EXPECT_TRUE(red_zone());
    EXPECT_EQ(calls - before, 4);
    dlclose(object);
    if (round % 2) continue;  // at times another pass only follows the next load
    ASSERT_TRUE(patcher.PatchAllLoaded(All));
    EXPECT_EQ(patcher.stats().slots_used, slots);
  }
  ASSERT_TRUE(patcher.PatchAllLoaded(All));
  EXPECT_EQ(patcher.stats().slots_used, slots);
}

TEST_F(PatcherTest, NothingNewIsCheap) {
  timespec t0, t1;
  clock_gettime(CLOCK_MONOTONIC, &t0);
  for (int n = 0; n < 1000; ++n) patcher.PatchAllLoaded(All);
  clock_gettime(CLOCK_MONOTONIC, &t1);
  printf("%.0f ns\n", Milliseconds(t0, t1) * 1e3);
  EXPECT_LT(Milliseconds(t0, t1), 20);
}

TEST_F(PatcherTest, NoPageIsWritableAndExecutable) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    EXPECT_EQ(line.find("rwx"), std::string::npos) << line;
}

TEST(HopPages, ReachesAcrossTheAddressSpace) {
  static HopPages hops;
  CodeWriter writer;
  const auto answer = +[] { return 4711; };
  const auto destination = reinterpret_cast<const uint8_t*>(answer);
  // As if a site lay there: a low fixed address, the middle of nowhere, and here.
  for (const uintptr_t site :
       {uintptr_t{0x400000}, uintptr_t{0x200000000000}, reinterpret_cast<uintptr_t>(destination)}) {
    for (int n = 0; n < 300; ++n) {
      const auto* from = reinterpret_cast<const uint8_t*>(site + n);
      const uint8_t* hop = hops.HopTo(from, destination, &writer);
      ASSERT_NE(hop, nullptr);
      EXPECT_TRUE(IsInJumpReach(from, hop));
      EXPECT_EQ(reinterpret_cast<int (*)()>(reinterpret_cast<uintptr_t>(hop))(), 4711);
    }
  }
}

TEST(CodeWriter, WritesWithoutProcMemToo) {
  for (const bool forget : {false, true}) {
    uint8_t* page = MapPageNear(reinterpret_cast<const uint8_t*>(&OnTrap));
    ASSERT_NE(page, nullptr);
    CodeWriter writer;
    if (forget) writer.ForgetProcMem();
    const uint8_t code[] = {0xb8, 42, 0, 0, 0, 0xc3};
    ASSERT_TRUE(writer.Write(page, code, sizeof code));
    EXPECT_EQ(reinterpret_cast<int (*)()>(page)(), 42);
    munmap(page, 4096);
  }
}

}  // namespace
}  // namespace green
