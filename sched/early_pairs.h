// The pipes and socket pairs that the program made before libgreen started.
#pragma once

namespace green {

// Joins those of which both ends are open here, each once and under a low number, as a pair made
// later would be (reactor.h: JoinPeers). Of a socket's other end sock_diag(7) tells, where the
// kernel has it. Where it is not known, the wake-up comes by the reactor. While there is one
// thread.
void JoinEarlyPairs();

}  // namespace green
