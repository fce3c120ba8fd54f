// Coverage: sockets.
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/sendfile.h>

#include "tests/coverage/cover.h"

static void make_pair(int type) { CHECK_OK(socketpair(AF_UNIX, type, 0, fd)); }

static void make_full_pair(int type) {
  make_pair(type);
  fill(fd[0]);
}

static void make_full_tcp(int room) {
  tcp_pair(fd);
  if (room) CHECK_OK(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room));
  fill_for_good(fd[0]);
}

static void drain_until_sent(int from) {
  static char page[65536];
  struct pollfd p = {from, POLLIN, 0};
  while (!returned)
    if (poll(&p, 1, 1) == 1 && read(from, page, sizeof page) <= 0) return;
}

static void make_listener(void) { fd[0] = tcp_listen(8); }

static long connect_to(int listener) {
  tcp_connect(port_of(listener));
  return 0;
}

// A SYN that finds the backlog full is sent again after a second.
static void make_full_listener(void) {
  fd[0] = tcp_listen(0);
  connect_to(fd[0]);
}

static void accept_all(void) {
  for (int i = 0; i < 2; i++) CHECK(accept(fd[0], NULL, NULL) >= 0);
}

static struct sockaddr* unix_name(void) {
  static struct sockaddr_un name = {AF_UNIX, "listener"};
  return (struct sockaddr*)&name;
}

static void make_unix_listener(int backlog) {
  fd[0] = socket(AF_UNIX, SOCK_STREAM, 0);
  unlink("listener");
  CHECK_OK(bind(fd[0], unix_name(), sizeof(struct sockaddr_un)));
  CHECK_OK(listen(fd[0], backlog));
  CHECK((peer = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0);
}

static void connect_unix(void) { CHECK_OK(connect(peer, unix_name(), sizeof(struct sockaddr_un))); }

static void make_full_unix_listener(void) {
  make_unix_listener(0);
  connect_unix();
  CHECK((peer = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0);
}

static void accept_one(void) { CHECK(accept(fd[0], NULL, NULL) >= 0); }

static struct msghdr* message(size_t size) {
  static struct msghdr one;
  one.msg_iov = iov(size);
  one.msg_iovlen = 1;
  return &one;
}

static struct mmsghdr* messages(size_t size) {
  static struct mmsghdr two[2];
  two[0].msg_hdr = two[1].msg_hdr = *message(size);
  return two;
}

static void reset(int socket) {
  struct linger now = {1, 0};
  CHECK_OK(setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now));
  CHECK_OK(close(socket));
}

static void make_udp(void) {
  fd[0] = bound_socket(SOCK_DGRAM);
  fd[1] = bound_socket(SOCK_DGRAM);
  struct sockaddr_in to = loopback(port_of(fd[0]));
  CHECK_OK(connect(fd[1], (struct sockaddr*)&to, sizeof to));
}

static char control[CMSG_SPACE(sizeof(int))];

static void send_descriptor(void) {
  struct msghdr* m = message(1);
  m->msg_control = control;
  m->msg_controllen = sizeof control;
  struct cmsghdr* c = CMSG_FIRSTHDR(m);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(c), &fd[1], sizeof(int));
  data[0] = 'd';
  CHECK_EQ(sendmsg(fd[1], m, 0), 1);
}

static long receive_descriptor(void) {
  char byte;
  struct iovec one = {&byte, 1};
  char room[CMSG_SPACE(sizeof(int))];
  struct msghdr m = {NULL, 0, &one, 1, room, sizeof room, 0};
  if (recvmsg(fd[0], &m, 0) != 1) return -1;
  int got;
  memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof got);
  return fcntl(got, F_GETFD);
}

static void make_netlink(void) {
  CHECK((fd[0] = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)) >= 0);
}

static void ask_netlink(void) {
  struct {
    struct nlmsghdr head;
    struct rtgenmsg body;
  } ask;
  memset(&ask, 0, sizeof ask);
  ask.head.nlmsg_len = sizeof ask;
  ask.head.nlmsg_type = RTM_GETLINK;
  ask.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  CHECK_EQ(send(fd[0], &ask, sizeof ask, 0), sizeof ask);
}

static long receive_netlink(void) {
  static char links[65536];
  return ok(recv(fd[0], links, sizeof links, 0) > 0);
}

static long send_until_error(void) {
  ssize_t sent;
  do sent = send(fd[0], data, sizeof data, MSG_NOSIGNAL);
  while (sent > 0);
  return sent;
}

static int some_file(void) {
  int file = open("file", O_CREAT | O_RDWR | O_TRUNC, 0600);
  CHECK(file >= 0);
  CHECK_OK(ftruncate(file, sizeof data));
  return file;
}

// More than there is room for.
static long splice_all(void) {
  int other[2];
  CHECK_OK(pipe(other));
  long size = 0;
  while (size < (long)sizeof data) {
    ssize_t now = splice(some_file(), NULL, other[1], NULL, 32768, 0);
    for (ssize_t at = 0; at < now;) {
      ssize_t part = splice(other[0], NULL, fd[0], NULL, (size_t)(now - at), 0);
      if (part <= 0) return part;
      at += part;
    }
    size += now;
  }
  return size;
}

static void make_pipe_beside(void) {
  int other[2];
  CHECK_OK(pipe(other));
  peer = other[1];
}

static void make_lingering(void) {
  make_full_tcp(0);
  struct linger linger = {1, 20};
  CHECK_OK(setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
}

static void set_timeout(int option) {
  struct timeval tv = {0, 30000};
  CHECK_OK(setsockopt(fd[0], SOL_SOCKET, option, &tv, sizeof tv));
}

static void set_peer_timeout(void) {
  int old = fd[0];
  fd[0] = peer;
  set_timeout(SO_SNDTIMEO);
  fd[0] = old;
}

#define GOES_ON "sendfile_socket"
#define FAMILY "tests/coverage/sockets.inc"
#include "tests/coverage/cover_main.h"
