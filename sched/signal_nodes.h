// Memory of queued signals: a locked free list that grows by pages and never shrinks.
#pragma once

#include "sched/signals.h"

namespace green {

struct SignalNode {
  SignalNode* next;
  SigInfo info;
};

SignalNode* NewSignalNode();  // null without memory
void FreeSignalNode(SignalNode* n);
void ResetSignalNodesAfterFork();

}  // namespace green
