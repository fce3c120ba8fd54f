/* Taking a worker from a carrier that sits in the kernel (sched/carrier.h, EnterGreen, Retake).
 *
 * The carrier's side is two plain instructions, "in_green = 1; read retake", so its store may
 * still be in the store buffer when the read is done; that is modelled. The monitor's membarrier
 * empties that buffer. Checked: the carrier never goes on inside libgreen without the worker, the
 * worker never has two holders, and nobody waits for ever.
 * -DBUGGY=1 leaves the membarrier out: spin then finds the carrier that goes on without a worker.
 */
#ifndef BUGGY
#define BUGGY 0
#endif
#define ROUNDS 2

bool in_green;          /* as memory has it */
bool buffered;          /* the carrier's store of 1 is still in its store buffer */
bool retake;
bool retake_lock;
byte worker = 1;        /* of the carrier under test; 0: it has none */
byte other;             /* what the spare carrier holds */
bool finished;

#define acquire atomic { !retake_lock -> retake_lock = true }
#define release retake_lock = false

/* The CPU drains the buffer at any time. */
active proctype store_buffer() {
end:
  do
  :: atomic { buffered -> in_green = true; buffered = false }
  od
}

active proctype carrier() {
  byte round;
  bool seen, lost;
  for (round : 1 .. ROUNDS) {
    /* outside: the program, or a system call */
    buffered = true;                       /* in_green = 1 */
    seen = retake;
    if
    :: seen ->                             /* EnterGreenSlow; the lock is a full fence */
       atomic { !retake_lock -> retake_lock = true; if :: buffered -> in_green = true; buffered = false :: else fi };
       retake = false;
       lost = (worker == 0);
       release;
       if
       :: lost ->                          /* requeued: it waits until it is given a worker */
          atomic { other == 1 -> other = 0; worker = 1 }
       :: else
       fi
    :: else
    fi;
    /* inside: the worker is ours alone */
    assert(worker == 1);
    assert(other == 0);
    /* LeaveGreen: in program order behind the buffered store */
    atomic { !buffered -> in_green = false }
  };
  finished = true
}

active proctype monitor() {
end:
  do
  :: !finished ->
     acquire;
     retake = true;
     if
     :: !BUGGY -> atomic { if :: buffered -> in_green = true; buffered = false :: else fi }
     :: BUGGY
     fi;
     if
     :: !in_green && worker == 1 -> worker = 0; other = 1
     :: else
     fi;
     release
  :: finished -> break
  od
}
