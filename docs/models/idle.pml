/* Sleep and wake of workers (sched/idle.h, sched/idle.cc, PollReactor): one idle worker sleeps in
 * the reactor, the others on their wake word; a waker publishes a task and wakes one of them.
 *
 * WORKERS workers consume TASKS tasks from the urgent queue. Checked: no task stays in the queue
 * while every worker sleeps, and no worker sleeps that others take for a running one. -DBUGGY=1 leaves out what hands an eaten wake-up back (a look in
 * passing reads the eventfd event that was meant for the sleeper): spin then finds the sleeper.
 */
#define WORKERS 2
#define TASKS 2
#ifndef BUGGY
#define BUGGY 0
#endif
#define RUNNING 0
#define IDLE 1
#define POLLING 2
#define NOBODY 9

byte queued;
byte consumed;
byte idle_count;
byte poller = NOBODY;
byte state[WORKERS];
bool wake_word[WORKERS];
bool event;                        /* the eventfd's edge: whoever polls first takes it */
bool idle_lock;
bool asleep[WORKERS];

#define acquire atomic { !idle_lock -> idle_lock = true }
#define release idle_lock = false

proctype worker(byte me) {
  bool still_idle;
end:
  do
  :: atomic { queued > 0 -> queued--; consumed++ }
  :: /* PollReactor(0), every so many picks */
     consumed > 0 && event -> 
     event = false;
     if
     :: !BUGGY && poller != NOBODY && poller != me -> event = true
     :: else
     fi
  :: queued == 0 ->
     wake_word[me] = false;
     acquire;
     state[me] = IDLE;
     idle_count++;
     release;
     if
     :: queued > 0                 /* WorkToDo */
     :: else ->
        if
        :: atomic { poller == NOBODY -> poller = me };
           acquire;
           still_idle = (state[me] == IDLE);
           if
           :: still_idle -> state[me] = POLLING
           :: else
           fi;
           release;
           if
           :: still_idle ->
              asleep[me] = true;
endpoll:      event;               /* epoll_wait */
              atomic { event = false; asleep[me] = false }
           :: else
           fi;
           poller = NOBODY
        :: else ->
           asleep[me] = true;
endsleep:  wake_word[me];          /* futex wait */
           asleep[me] = false
        fi
     fi;
     acquire;                      /* StopIdling */
     if
     :: state[me] != RUNNING -> state[me] = RUNNING; idle_count--
     :: else
     fi;
     release
  od
}

proctype waker() {
  byte i, chosen;
  bool polling;
  queued++;                        /* seq_cst, before the look at idle_count */
  if
  :: idle_count == 0 -> goto out
  :: else
  fi;
  acquire;
  chosen = NOBODY;
  polling = false;
  i = 0;
  do
  :: i < WORKERS && state[i] == RUNNING -> i++
  :: i < WORKERS && state[i] == POLLING -> chosen = i; polling = true; i++
  :: i < WORKERS && state[i] == IDLE -> chosen = i; polling = false; break
  :: i == WORKERS -> break
  od;
  if
  :: chosen != NOBODY ->
     state[chosen] = RUNNING;
     idle_count--;
     if
     :: !polling -> wake_word[chosen] = true
     :: else
     fi
  :: else
  fi;
  release;
  if
  :: polling -> event = true       /* WakeReactor */
  :: else
  fi;
out:
  skip
}

init {
  byte i;
  atomic {
    for (i : 0 .. WORKERS - 1) { run worker(i) }
    for (i : 1 .. TASKS) { run waker() }
  }
  (consumed == TASKS);
  timeout;                         /* everything stands still */
  for (i : 0 .. WORKERS - 1) { assert(!(asleep[i] && state[i] == RUNNING)) }
}
