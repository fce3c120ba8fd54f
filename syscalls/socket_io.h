// Receiving and sending on sockets without blocking the carrier and without touching the open
// file description's flags: MSG_DONTWAIT, then the reactor.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include "syscalls/fd_info.h"

namespace green {

// recvfrom(2); flags as the program gave them.
long Receive(int fd, FdState* s, void* buf, size_t len, int flags, void* addr, void* addrlen);
// sendto(2). On a stream everything is sent, as a blocking socket does.
long Send(int fd, FdState* s, const void* buf, size_t len, int flags, const void* addr,
          long addrlen);
// recvmsg(2) and sendmsg(2) with a msghdr that the program or we made.
long ReceiveMessage(int fd, FdState* s, msghdr* msg, int flags);
long SendMessage(int fd, FdState* s, const msghdr* msg, int flags);
// recvmmsg(2). The deadline, in ns of CLOCK_MONOTONIC, is looked at after each message, as the
// kernel does.
long ReceiveMessages(int fd, FdState* s, mmsghdr* messages, uint32_t count, int flags,
                     int64_t deadline);

bool SocketIsStream(int fd);
// Whether a call that has transferred a part may try the next: not if it would take an error that
// is the next call's, or skip urgent data.
bool SendMayGoOn(int fd);
bool ReceiveMayGoOn(int fd);

}  // namespace green
