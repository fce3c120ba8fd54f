/* A bound task sleeps in the kernel and goes on by itself when it is out of time (sched/task.h,
 * sched/one_to_one.cc). Whoever wakes it may come late: the task has ended, and its memory is a
 * green task's, which parks.
 *
 * Two lives in one slot, the first bound, the second green, and a waker that comes at any time.
 * Checked: a task is put into a queue only by who has cleared its kParked as a green one's, so
 * once per park, and the second one runs again only when it is woken.
 * BUGGY: the waker asks what the task is after it has cleared the bit.
 */
#define PARKED 1
#define TOKEN 2
#define IN_KERNEL 4

byte state;
bool bound = true;     /* of the life that is on */
bool queued;           /* the green one, by a waker */
bool sleeps;           /* the green one has parked, and nobody has resumed it */
byte wanted;           /* what the green one waits for */

proctype waker(bool for_second) {
  byte from;
  bool in_kernel;
  if
  :: for_second -> (!bound); wanted = 1
  :: else
  fi;
  atomic {                               /* ClaimForWake */
    from = state;
    if
    :: state & PARKED -> state = state & ~(PARKED | IN_KERNEL)
    :: else -> state = state | TOKEN
    fi
  }
  if
  :: from & PARKED ->
    in_kernel = (BUGGY -> bound : (from & IN_KERNEL) != 0);
    if
    :: in_kernel                         /* a futex wake: whoever sleeps there looks again */
    :: else -> assert(!queued); assert(sleeps && !(state & PARKED)); queued = true
    fi
  :: else
  fi
}

active proctype task() {
  /* Bound: parks once, with a deadline. */
  atomic {
    if
    :: state == 0 -> state = PARKED | IN_KERNEL
    :: else
    fi
  };
  skip;                                  /* woken, or out of time: it need not know */
  state = 0;
  /* It ends. A green task begins in its slot (PrepareTask) and waits. */
  atomic { state = 0; bound = false };
  do
  :: wanted -> break
  :: else ->
    atomic {
      if
      :: state == 0 -> state = PARKED; sleeps = true
      :: else -> state = state & ~TOKEN
      fi
    }
    if
    :: sleeps -> atomic { queued -> queued = false; sleeps = false }
    :: else
    fi
  od
}

init {
  atomic { run waker(0); run waker(1) }
}
