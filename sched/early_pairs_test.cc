// Which open descriptors are taken for the two ends of one pipe or socket pair.
#include "sched/early_pairs.h"

#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <vector>

#include "sched/reactor.h"

namespace green {
namespace {

std::map<int, int> joined;

int PeerOf(int fd) { return joined.count(fd) ? joined[fd] : -1; }

}  // namespace

// The reactor's place.
void JoinPeers(int one, int other) { joined[one] = other, joined[other] = one; }

namespace {

class EarlyPairs : public testing::Test {
 protected:
  void TearDown() override {
    for (const int fd : fds_) close(fd);
    joined.clear();
  }
  int Keep(int fd) { return fds_.push_back(fd), fd; }
  void KeepPair(const int (&ends)[2]) { Keep(ends[0]), Keep(ends[1]); }

 private:
  std::vector<int> fds_;
};

TEST_F(EarlyPairs, PipesAreJoined) {
  int one[2], other[2];
  ASSERT_EQ(pipe(one), 0);
  ASSERT_EQ(pipe(other), 0);
  KeepPair(one), KeepPair(other);
  JoinEarlyPairs();
  EXPECT_EQ(PeerOf(one[0]), one[1]);
  EXPECT_EQ(PeerOf(one[1]), one[0]);
  EXPECT_EQ(PeerOf(other[0]), other[1]);
  EXPECT_EQ(PeerOf(other[1]), other[0]);
}

TEST_F(EarlyPairs, SocketPairsAreJoined) {
  const int diag = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
  if (diag < 0) GTEST_SKIP() << "no sock_diag(7) here";
  close(diag);
  for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    int one[2], other[2];
    ASSERT_EQ(socketpair(AF_UNIX, type, 0, one), 0);
    ASSERT_EQ(socketpair(AF_UNIX, type, 0, other), 0);
    KeepPair(one), KeepPair(other);
    JoinEarlyPairs();
    EXPECT_EQ(PeerOf(one[0]), one[1]);
    EXPECT_EQ(PeerOf(other[1]), other[0]);
  }
}

TEST_F(EarlyPairs, CopiesAndSingleEndsAreNot) {
  int copied[2], single[2], sockets[2];
  ASSERT_EQ(pipe(copied), 0);
  ASSERT_EQ(pipe(single), 0);
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  KeepPair(copied), KeepPair(sockets);
  const int copy = Keep(dup(copied[1])), socket_copy = Keep(dup(sockets[0]));
  close(single[1]);
  Keep(single[0]);
  JoinEarlyPairs();
  for (const int fd : {copied[0], copied[1], copy, single[0], sockets[0], sockets[1], socket_copy})
    EXPECT_EQ(PeerOf(fd), -1) << fd;
}

}  // namespace
}  // namespace green
