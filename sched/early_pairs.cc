#include "sched/early_pairs.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/stat.h>
#include <linux/unix_diag.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"
#include "sched/open_numbers.h"
#include "sched/reactor.h"

namespace green {
namespace {

constexpr int kNumbers = OpenNumbers::kCount;

struct End {
  uint32_t inode, other;  // `other`: the other end's, 0 where there is none or it is not known
  uint32_t device;
  int access;  // of a pipe's: O_RDONLY or O_WRONLY
  bool socket;
};

// The inode number of the socket that is connected to that one.
class SocketPeers {
 public:
  ~SocketPeers() {
    if (netlink_ >= 0) RawSyscall(SYS_close, netlink_);
  }
  uint32_t Of(uint32_t inode) {
    if (!Open()) return 0;
    struct {
      nlmsghdr header;
      unix_diag_req body;
    } request = {};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = NLM_F_REQUEST;
    request.body.sdiag_family = AF_UNIX;
    request.body.udiag_states = ~0u;
    request.body.udiag_ino = inode;
    request.body.udiag_show = UDIAG_SHOW_PEER;
    request.body.udiag_cookie[0] = request.body.udiag_cookie[1] = ~0u;
    if (IsError(RawSyscall(SYS_sendto, netlink_, &request, sizeof request, 0, nullptr, 0)))
      return 0;
    alignas(nlmsghdr) char answer[512];
    const long size =
        RawSyscall(SYS_recvfrom, netlink_, answer, sizeof answer, MSG_DONTWAIT, nullptr, nullptr);
    return IsError(size) ? 0 : PeerIn(answer, static_cast<uint32_t>(size));
  }

 private:
  bool Open() {
    if (tried_) return netlink_ >= 0;
    tried_ = true;
    // A sandbox may end the process for a kind of socket that its program does not use.
    if (RawSyscall(SYS_prctl, PR_GET_SECCOMP) != 0) return false;
    netlink_ = static_cast<int>(
        RawSyscall(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    return netlink_ >= 0;
  }
  static uint32_t PeerIn(const char* answer, uint32_t size) {
    const auto header = reinterpret_cast<const nlmsghdr*>(answer);
    if (!NLMSG_OK(header, size) || header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return 0;
    const auto body = static_cast<const unix_diag_msg*>(NLMSG_DATA(header));
    auto attribute = reinterpret_cast<const rtattr*>(body + 1);
    auto left = static_cast<int>(NLMSG_PAYLOAD(header, sizeof *body));
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
      if (attribute->rta_type == UNIX_DIAG_PEER)
        return *static_cast<const uint32_t*>(RTA_DATA(attribute));
    return 0;
  }

  int netlink_ = -1;
  bool tried_ = false;
};

bool IsUnixSocket(int fd) {
  int domain = 0;
  uint32_t size = sizeof domain;
  return !RawSyscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) &&
         domain == AF_UNIX;
}

// False: no end of a pair.
bool Describe(int fd, End* end, SocketPeers& peers) {
  struct statx st;
  // Of a file system that does not answer nothing is asked.
  if (RawSyscall(SYS_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO,
                 &st))
    return false;
  *end = {static_cast<uint32_t>(st.stx_ino), 0, st.stx_dev_minor, 0, S_ISSOCK(st.stx_mode)};
  if (end->socket) {
    if (IsUnixSocket(fd)) end->other = peers.Of(end->inode);
  } else if (S_ISFIFO(st.stx_mode)) {
    end->access = static_cast<int>(RawSyscall(SYS_fcntl, fd, F_GETFL)) & O_ACCMODE;
    if (end->access != O_RDWR) end->other = end->inode;
  }
  return end->other != 0;
}

bool AreJoined(const End& a, const End& b) {
  return a.socket == b.socket && a.device == b.device && a.inode == b.other && a.other == b.inode &&
         (a.socket || a.access != b.access);
}

struct Ends {
  End at[kNumbers];
  bool is_end[kNumbers];

  // -1: none, or one of several copies.
  int OnlyPartnerOf(int fd) const {
    int partner = -1;
    for (int i = 0; i < kNumbers; ++i) {
      if (i == fd || !is_end[i] || !AreJoined(at[fd], at[i])) continue;
      if (partner >= 0) return -1;
      partner = i;
    }
    return partner;
  }
};

}  // namespace

void JoinEarlyPairs() {
  SocketPeers peers;
  Ends ends;
  const OpenNumbers open;
  for (int fd = 0; fd < kNumbers; ++fd)
    ends.is_end[fd] = open.Has(fd) && Describe(fd, &ends.at[fd], peers);
  for (int fd = 0; fd < kNumbers; ++fd) {
    const int partner = ends.is_end[fd] ? ends.OnlyPartnerOf(fd) : -1;
    if (partner > fd && ends.OnlyPartnerOf(partner) == fd) JoinPeers(fd, partner);
  }
}

}  // namespace green
