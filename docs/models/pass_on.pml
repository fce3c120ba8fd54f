/* A signal for the process and its receiver (SendToProcess and PassOn in sched/signal_routing.cc).
 *
 * One signal, two tasks. A accepts it at first, and at any moment no more: it has taken another signal,
 * or a handler's mask blocks this one. B accepts it throughout. A sender prefers A.
 * Checked: somebody takes the signal; nobody that accepts it sleeps beside it (no invalid end state).
 * BUGGY: the sender does not look at the receiver's mask again behind the append.
 */
#define NONE 0
#define A 1
#define B 2

bool accepts_a = true;
bool pending;
bool told[3];          /* attention: seen at once, or it ends the task's sleep */
bool taken;

inline find(task) {
  if
  :: accepts_a -> task = A
  :: else -> task = B
  fi
}

inline take() {
  atomic {
    if
    :: pending -> pending = false; taken = true
    :: else
    fi
  }
}

active proctype sender() {
  byte receiver;
  find(receiver);
  pending = true;                        /* Append, seq_cst */
  if
  :: !BUGGY && receiver == A && !accepts_a -> find(receiver)
  :: else
  fi;
  told[receiver] = true                  /* Notify */
}

active proctype a() {
  byte other;
  if
  :: told[A] -> take()
  :: true                                /* something else is first */
  fi;
  accepts_a = false;                     /* seq_cst */
  if
  :: pending -> find(other); told[other] = true
  :: else
  fi
}

active proctype b() {
  do
  :: taken -> break
  :: told[B] -> told[B] = false; take()
  od
}
