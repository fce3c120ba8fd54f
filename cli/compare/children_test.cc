#include "cli/compare/children.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "cli/compare/failure.h"
#include "cli/compare/processes.h"

namespace green::cli {
namespace {

int WaitFor(Children* children, pid_t pid) {
  while (!children->Status(pid)) Sleep(0.05);
  return *children->Status(pid);
}

bool WaitForText(const Output& output, const std::string& text) {
  for (int i = 0; i < 3000; ++i, usleep(10000)) {
    if (output.Text().find(text) != std::string::npos) return true;
  }
  return false;
}

class ChildrenTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { CatchInterrupts(); }
};

TEST_F(ChildrenTest, RunsWithTheEnvironmentAndKeepsOutputAndStatus) {
  setenv("GONE", "1", 1);
  Children children;
  Output output;
  const pid_t pid = children.StartShell("echo $NEW ${GONE-gone}; echo err >&2; exit 3",
                                        {{"NEW", "new"}, {"GONE", {}}}, output);
  EXPECT_EQ(StatusText(WaitFor(&children, pid)), "status 3");
  EXPECT_EQ(output.Text(), "new gone\nerr\n");
}

TEST_F(ChildrenTest, ChildrenHaveNoSignalBlocked) {
  Children children;
  Output output;
  const pid_t pid = children.StartShell("grep SigBlk /proc/self/status", {}, output);
  WaitFor(&children, pid);
  EXPECT_EQ(output.Text(), "SigBlk:\t0000000000000000\n");
}

TEST_F(ChildrenTest, SaysWhatExecSaid) {
  Children children;
  Output output;
  try {
    children.Start("/no/such/program", {"x"}, {}, output);
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status, 127);
    EXPECT_STREQ(failure.what(), "can't run /no/such/program: No such file or directory");
  }
  try {
    children.Start("/", {"x"}, {}, output);
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status, 126);
  }
}

TEST_F(ChildrenTest, EndsADaemonToo) {
  Output output;
  pid_t daemon;
  {
    Children children;
    const pid_t pid =
        children.StartShell("setsid sh -c 'echo pid $$ end; exec sleep 100' & exit 0", {}, output);
    EXPECT_EQ(WaitFor(&children, pid), 0);
    ASSERT_TRUE(WaitForText(output, "end"));
    daemon = std::stoi(output.Text().substr(4));
    const std::vector<pid_t> alive = children.Alive();
    EXPECT_NE(std::find(alive.begin(), alive.end(), daemon), alive.end());
  }
  EXPECT_EQ(kill(daemon, 0), -1);
}

TEST_F(ChildrenTest, ReportsOneThatDoesNotEnd) {
  Children children;
  Output output;
  const pid_t pid =
      children.StartShell("trap '' TERM; echo ready; while :; do sleep 0.05; done", {}, output);
  ASSERT_TRUE(WaitForText(output, "ready"));
  EXPECT_FALSE(children.End(pid, SIGTERM, 0.2));
  EXPECT_TRUE(children.End(pid, SIGKILL, 10));
  EXPECT_EQ(StatusText(*children.Status(pid)), "signal 9 (Killed)");
}

TEST_F(ChildrenTest, SleepEndsWithAChildAndWithASignal) {
  Children children;
  Output output;
  const double start = Now();
  const pid_t pid = children.StartShell("exit 0", {}, output);
  while (!children.Status(pid)) Sleep(30);
  EXPECT_LT(Now() - start, 20);
  kill(getpid(), SIGTERM);
  EXPECT_THROW(Sleep(30), Interrupted);
  EXPECT_LT(Now() - start, 20);
}

TEST_F(ChildrenTest, CountsWhatAProcessUses) {
  Children children;
  Output output;
  const pid_t pid = children.StartShell(
      "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo done; exec sleep 100", {}, output);
  ASSERT_TRUE(WaitForText(output, "done"));
  EXPECT_GT(CpuSeconds({pid}), 0.001);
  EXPECT_EQ(FootprintOf({pid}).os_threads, 1);
  EXPECT_GT(FootprintOf({pid}).rss_kib, 100);
  while (ContextSwitches({pid}) < 1) usleep(1000);
  children.KillAll();
  EXPECT_GE(children.EndedSwitches({}), 1);
  EXPECT_EQ(children.EndedSwitches({pid}), 0);
  EXPECT_EQ(FootprintOf({pid}).os_threads, 0);
}

TEST_F(ChildrenTest, SeesWhoListens) {
  Children children;
  Output output;
  const pid_t pid = children.StartShell(
      "exec python3 -c 'import socket,time; s=socket.create_server((\"127.0.0.1\",0)); "
      "print(\"port\", s.getsockname()[1], \"end\", flush=True); time.sleep(100)'",
      {}, output);
  ASSERT_TRUE(WaitForText(output, "end"));
  const Listeners found = ListenersOf({pid});
  EXPECT_EQ(found.ports, std::set<int>{std::stoi(output.Text().substr(5))});
  EXPECT_FALSE(found.unix_socket);
}

}  // namespace
}  // namespace green::cli
