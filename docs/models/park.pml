/* Park and Unpark with the token, and on_cpu (sched/task.h, sched/scheduler.cc).
 *
 * One task parks ROUNDS times, each time for a condition that a waker makes true before it
 * unparks; a third process unparks it without reason. Two carriers run whatever is queued.
 * Checked: the task is never in the queue twice, never run by two carriers, its context is saved
 * before another carrier resumes it, and no wake-up is lost (no invalid end state).
 */
#define ROUNDS 2
#define PARKED 1
#define TOKEN 2

byte state;            /* 0, PARKED or TOKEN */
bool on_cpu;           /* from resume until the next context on that carrier has saved it */
bool saved = true;     /* the context in memory is that of the last park */
byte wanted;           /* rounds the waker has released */
byte done;             /* rounds the task has completed */
byte running;          /* carriers that execute it */
chan queue = [2] of { bit };

inline unpark(claimed) {
  /* ClaimForWake: one compare-and-swap */
  atomic {
    claimed = (state & PARKED) != 0;
    if
    :: claimed -> state = state & ~PARKED
    :: else -> state = state | TOKEN
    fi
  }
  if
  :: claimed -> assert(nfull(queue)); assert(len(queue) == 0); queue ! 1
  :: else
  fi
}

active [2] proctype carrier() {
  bit t;
  bool must_switch;
end:
  do
  :: queue ? t ->
    do                                     /* on the scheduler's stack: wait, do not resume */
    :: BUGGY || !on_cpu -> break
    od;
    assert(saved);
    on_cpu = true;
    assert(running == 0);
    running++;
    saved = false;
    /* the task: look at the condition, else park, and so on */
    do
    :: done == ROUNDS -> goto ended
    :: done < ROUNDS && wanted > done -> done++
    :: done < ROUNDS && wanted <= done ->
      must_switch = false;
      atomic {
        if
        :: state == 0 -> state = PARKED; must_switch = true
        :: else -> state = state & ~TOKEN
        fi
      }
      if
      :: must_switch -> break
      :: else
      fi
    od;
    /* switch away: from here on another carrier may have been given the task */
    running--;
    saved = true;
    on_cpu = false                         /* release */
  od;
ended:
  running--;
  saved = true;
  on_cpu = false
}

proctype waker() {
  bool claimed;
  byte i;
  for (i : 1 .. ROUNDS) {
    wanted++;
    unpark(claimed)
  }
}

proctype nuisance() {
  bool claimed;
  unpark(claimed)
}

init {
  atomic {
    queue ! 1;
    run waker();
    run nuisance()
  }
  /* Everything stands still only when the task has had all its rounds. */
  (done == ROUNDS)
}
