/* Skipping a read that would fail, and waking the other end directly (syscalls/fd_info.h, WakePeer in
 * sched/reactor.h): after a short read, `drained_at` holds the sequence from before it; while that
 * has not moved, the next read parks without a try.
 *
 * Two readers take all that is there at a time; a peer sends ITEMS items, forgets `drained_at` and
 * wakes who is listed, all after the call and without the lock; a stranger whose peer's number is
 * another file's by now does the same at any time. Checked: no reader sleeps while there is an item
 * that nobody was told of (no invalid end state).
 * -DBUGGY=1 notes the sequence from after the read: spin then finds the lost event.
 */
#ifndef BUGGY
#define BUGGY 0
#endif
#define ITEMS 2
#define READERS 2

byte data;                     /* what the kernel holds */
bool registered;
bool edge;                     /* on epoll's ready list */
byte sequence;
byte drained_at;               /* sequence + 1; 0: none */
bool fd_lock;
bool listed[READERS];
bool fired[READERS];
byte taken;

#define acquire atomic { !fd_lock -> fd_lock = true }
#define release fd_lock = false

/* Delisted under the lock; how a waiter is woken is park.pml's. */
inline wake_listed(events) {
  atomic {
    !fd_lock;
    sequence = sequence + events;
    for (i : 0 .. READERS - 1) { fired[i] = fired[i] || listed[i]; listed[i] = false }
    i = 0
  }
}

proctype reader(byte me) {
  byte seen, got, before;
  bool was_registered;
end:
  do
  :: seen = sequence;
     got = 0;
     before = sequence;
     if
     :: drained_at == before + 1   /* known to be empty: no try */
     :: else ->
        was_registered = registered;
        atomic { got = data; data = 0; taken = taken + got };
        if
        :: BUGGY -> before = sequence
        :: !BUGGY
        fi;
        if
        :: got > 0 && was_registered -> drained_at = before + 1
        :: else
        fi
     fi;
     if
     :: got > 0
     :: else ->
        acquire;
        if
        :: !registered -> atomic { registered = true; edge = (data > 0) }  /* EPOLL_CTL_ADD */
        :: registered
        fi;
        if
        :: sequence != seen -> release
        :: else ->
           fired[me] = false;
           listed[me] = true;
           release;
endpark:   fired[me]
        fi
     fi
  od
}

proctype peer() {
  byte n, i;
  for (n : 1 .. ITEMS) {
    atomic {
      data++;
      if
      :: registered -> edge = true
      :: else
      fi
    };
    drained_at = 0;
    if
    :: listed[0] || listed[1] -> wake_listed(0)
    :: else
    fi
  }
}

proctype stranger() {
  byte i;
  drained_at = 0;
  wake_listed(0)
}

proctype poller() {
  byte i;
end:
  do
  :: atomic { edge -> edge = false };       /* epoll_wait */
     wake_listed(1)
  od
}

init {
  byte i;
  atomic {
    for (i : 0 .. READERS - 1) { run reader(i) }
    run peer();
    run stranger();
    run poller()
  }
  (taken == ITEMS)
}
