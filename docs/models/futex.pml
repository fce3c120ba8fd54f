/* Futex wait and wake (sched/futex_table.h): a waiter reads the word under its bucket's lock, a
 * waker changes the word first and takes the lock after. Time-outs and requeue change who delists.
 *
 * WAITERS tasks wait for word != 0 in bucket 0; one may time out at any moment; a waker sets the
 * word, requeues all but one to bucket 1 and wakes there too. Checked: nobody sleeps for ever, no
 * node is delisted twice, none is touched after its owner has returned.
 * -DBUGGY=1 reads the word before taking the lock: spin then finds the sleeper nobody wakes.
 */
#ifndef BUGGY
#define BUGGY 0
#endif
#define WAITERS 2
#define NOWHERE 2

byte word;
bool lock[2];
byte where[WAITERS] = NOWHERE;     /* bucket in which a node is linked */
byte bucket[WAITERS];              /* what the node says, read without the lock */
bool woken[WAITERS];
bool token[WAITERS];
bool gone[WAITERS];                /* the node's stack frame is no more */
byte returned;

#define acquire(b) atomic { !lock[b] -> lock[b] = true }
#define release(b) lock[b] = false

proctype waiter(byte me; bool may_time_out) {
  byte b, seen;
  bool late;
again:
  seen = word;
  acquire(0);
  if
  :: (BUGGY -> seen : word) != 0 -> release(0); goto out
  :: else
  fi;
  assert(where[me] == NOWHERE);
  gone[me] = false;
  woken[me] = false;
  bucket[me] = 0;
  where[me] = 0;
  release(0);
  do
  :: woken[me] -> break
  :: !woken[me] && token[me] -> token[me] = false
  :: !woken[me] && may_time_out ->
    /* LockBucketOf: requeue may move the node between the read and the lock */
    do
    :: b = bucket[me];
       acquire(b);
       if
       :: bucket[me] == b -> break
       :: else -> release(b)
       fi
    od;
    late = woken[me];
    if
    :: !late -> assert(where[me] == b); where[me] = NOWHERE
    :: else
    fi;
    release(b);
    break
  od;
  gone[me] = true;
  if
  :: word == 0 -> goto again       /* the caller's loop */
  :: else
  fi;
out:
  gone[me] = true;
  returned++
}

/* Under the lock of b. The task is read before woken is set, the unpark comes after the lock. */
inline wake_all(b) {
  acquire(b);
  i = 0;
  do
  :: i < WAITERS && where[i] == b ->
     assert(!gone[i] && !woken[i]);
     where[i] = NOWHERE;
     woken[i] = true;
     claimed[i] = true;
     i++
  :: i < WAITERS && where[i] != b -> i++
  :: i == WAITERS -> break
  od;
  release(b);
  i = 0;
  do
  :: i < WAITERS -> 
     if
     :: claimed[i] -> token[i] = true; claimed[i] = false
     :: else
     fi;
     i++
  :: i == WAITERS -> break
  od
}

proctype waker() {
  byte i;
  bool claimed[WAITERS];
  word = 1;
  /* requeue 0 -> 1, under both locks, the lower first */
  acquire(0);
  acquire(1);
  i = 0;
  do
  :: i < WAITERS ->
     if
     :: where[i] == 0 -> assert(!gone[i]); where[i] = 1; bucket[i] = 1
     :: where[i] == 0                  /* beyond the number to requeue */
     :: where[i] != 0
     fi;
     i++
  :: i == WAITERS -> break
  od;
  release(1);
  release(0);
  wake_all(0);
  wake_all(1)
}

init {
  atomic {
    run waiter(0, false);
    run waiter(1, true);
    run waker()
  }
  (returned == WAITERS)
}
