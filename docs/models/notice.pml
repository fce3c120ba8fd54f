/* The noted signal (sched/signals.h): a signal that finds its carrier inside libgreen sets the
 * carrier's attention; whoever leaves libgreen on that carrier next has to route it.
 *
 * One carrier, a task that computes for ever once it is outside, another that parks. Checked: when
 * everything stands still, the signal has been routed. -DBUGGY=1 resumes a preempted task without
 * a look at the carrier's flag: spin then finds the signal that nobody routes.
 */
#ifndef BUGGY
#define BUGGY 0
#endif

bool in_green;
bool attention;
bool sent, routed;

/* LeaveGreen, then the look; the flag is cleared before the ring is read. */
inline leave_and_look() {
  do
  :: in_green = false;
     if
     :: attention -> in_green = true; attention = false; routed = true
     :: else -> break
     fi
  od
}

active proctype carrier() {
  /* the second task: a system call, during which the signal may come, and it parks */
  in_green = true;
  skip;
  /* switch to the first, which was preempted in its signal frame */
  if
  :: BUGGY -> in_green = false
  :: !BUGGY -> leave_and_look()
  fi
  /* computes: no system call any more */
}

active proctype kernel() {
  /* interrupts the carrier at any one point */
  atomic {
    sent = true;
    if
    :: in_green -> attention = true
    :: else -> routed = true               /* outside: handled at once */
    fi
  }
}

init {
  timeout;                         /* everything stands still */
  assert(!sent || routed)
}
