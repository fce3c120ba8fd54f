/* Waiting for a descriptor (sched/reactor.h): sequence, try, enlist, park; the kernel's
 * edge-triggered event; a poller that raises the sequence and wakes.
 *
 * Two readers take ITEMS items that a peer sends. Checked: no reader sleeps while there is an
 * item that nobody was told of (no invalid end state).
 * -DBUGGY=1 reads the sequence after the try: spin then finds the lost event.
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
bool fd_lock;
bool listed[READERS];
bool fired[READERS];
bool token[READERS];
byte taken;

#define acquire atomic { !fd_lock -> fd_lock = true }
#define release fd_lock = false

proctype reader(byte me) {
  byte seen;
end:
  do
  :: if
     :: !BUGGY -> seen = sequence
     :: BUGGY
     fi;
     if
     :: atomic { data > 0 -> data--; taken++ }
     :: else ->
        if
        :: BUGGY -> seen = sequence
        :: !BUGGY
        fi;
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
endpark:   do
           :: fired[me] -> break
           :: !fired[me] && token[me] -> token[me] = false
           od
        fi
     fi
  od
}

proctype peer() {
  byte i;
  for (i : 1 .. ITEMS) {
    atomic {
      data++;
      if
      :: registered -> edge = true
      :: else
      fi
    }
  }
}

proctype poller() {
  byte i;
  bool wake[READERS];
end:
  do
  :: atomic { edge -> edge = false };       /* epoll_wait */
     acquire;
     sequence++;
     for (i : 0 .. READERS - 1) {
       if
       :: listed[i] -> listed[i] = false; fired[i] = true; wake[i] = true
       :: else
       fi
     };
     release;
     for (i : 0 .. READERS - 1) {
       if
       :: wake[i] -> token[i] = true; wake[i] = false
       :: else
       fi
     }
  od
}

init {
  byte i;
  atomic {
    for (i : 0 .. READERS - 1) { run reader(i) }
    run peer();
    run poller()
  }
  (taken == ITEMS)
}
