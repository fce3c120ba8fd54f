// Coverage: queues, semaphores between processes, asynchronous I/O.
#include <aio.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/coverage/cover.h"
#include "tests/coverage/sysv.h"

static struct sembuf give = {0, 1, 0}, zero = {0, 0, 0};
static mqd_t mq;
static sem_t told;
static aio_context_t context;
static struct io_event completion;

static struct timespec* in(int ms) {
  static struct timespec t;
  t = to_timespec(ms * MS);
  return &t;
}

static struct timespec* until(int ms) {
  static struct timespec t;
  t = after_ms(CLOCK_REALTIME, ms);
  return &t;
}

static long* letter_of(long type) {
  static long room[1024];
  room[0] = type;
  memcpy(&room[1], "hello", 6);
  return room;
}
static long* letter(void) { return letter_of(7); }

static void make_full_queue(void) {
  make_queue();
  while (msgsnd(id, letter(), 2048, IPC_NOWAIT) == 0) continue;
  CHECK_EQ(errno, EAGAIN);
}

static void make_mq(int full) {
  char name[64];
  snprintf(name, sizeof name, "/green-cover-%d-%lld", getpid(), (long long)now_ns(CLOCK_MONOTONIC));
  struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 64};
  mq = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
  CHECK(mq >= 0);
  CHECK_OK(mq_unlink(name));
  if (full) CHECK_OK(mq_send(mq, "first", 6, 0));
}

static struct pollfd* watch(int which) {
  static struct pollfd one;
  one = (struct pollfd){which, POLLIN, 0};
  return &one;
}
static struct pollfd* watched_mq(void) { return watch(mq); }
static struct pollfd* watched_ring(void) { return watch(peer); }

static void tell(union sigval unused) { CHECK_OK(sem_post(&told)); }

static struct sigevent by_thread(void) {
  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_THREAD;
  event.sigev_notify_function = tell;
  return event;
}

static void ask_to_be_told(void) {
  CHECK_OK(sem_init(&told, 0, 0));
  struct sigevent event = by_thread();
  CHECK_OK(mq_notify(mq, &event));
}

static struct aiocb* list[1];

// Six bytes from the empty pipe, or to the full one.
static struct aiocb* block(void) {
  static struct aiocb one;
  one.aio_fildes = poll(watch(fd[0]), 1, 0) ? fd[1] : fd[0];
  one.aio_buf = data;
  one.aio_nbytes = 6;
  one.aio_lio_opcode = LIO_READ;
  list[0] = &one;
  return &one;
}

// Begins when what is under way is done.
static struct aiocb* after_block(void) {
  static struct aiocb sync;
  sync.aio_fildes = fd[0];
  list[0] = &sync;
  return &sync;
}

static struct aiocb** list_of(struct aiocb* one) {
  static struct aiocb* only[1];
  only[0] = one;
  return only;
}

static struct aiocb* notifying(void) {
  CHECK_OK(sem_init(&told, 0, 0));
  block()->aio_sigevent = by_thread();
  return block();
}

static const struct aiocb* const* waits_for(void) { return (const struct aiocb* const*)list; }

static struct {
  unsigned *tail, *mask, *array, *head, *done;
  struct io_uring_sqe* entries;
  struct io_uring_cqe* results;
} ring;

static void make_ring(void) {
  make_pipe();
  struct io_uring_params params;
  memset(&params, 0, sizeof params);
  peer = (int)syscall(SYS_io_uring_setup, 4, &params);
  CHECK(peer >= 0);
  char* both = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED, peer, IORING_OFF_SQ_RING);
  ring.entries = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, peer, IORING_OFF_SQES);
  CHECK(both != MAP_FAILED && ring.entries != MAP_FAILED);
  ring.tail = (unsigned*)(both + params.sq_off.tail);
  ring.mask = (unsigned*)(both + params.sq_off.ring_mask);
  ring.array = (unsigned*)(both + params.sq_off.array);
  ring.results = (struct io_uring_cqe*)(both + params.cq_off.cqes);
}

static void prepare_entry(int operation, int from, const void* at, unsigned size) {
  unsigned slot = *ring.tail & *ring.mask;
  struct io_uring_sqe* entry = &ring.entries[slot];
  memset(entry, 0, sizeof *entry);
  entry->opcode = (uint8_t)operation;
  entry->fd = from;
  entry->addr = (uintptr_t)at;
  entry->len = size;
  entry->off = operation == IORING_OP_READ ? (uint64_t)-1 : 0;
  ring.array[slot] = slot;
  __atomic_store_n(ring.tail, *ring.tail + 1, __ATOMIC_RELEASE);
}

static void ring_submit_read(void) {
  prepare_entry(IORING_OP_READ, fd[0], data, 64);
  CHECK_EQ(syscall(SYS_io_uring_enter, peer, 1, 0, 0, NULL, 0), 1);
}

static long ring_read(void) {
  prepare_entry(IORING_OP_READ, fd[0], data, 64);
  if (syscall(SYS_io_uring_enter, peer, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1) return -1;
  return ring.results[0].res;
}

static long ring_wait_long(void) {
  ring_submit_read();
  struct io_uring_getevents_arg wait = {.ts = (uintptr_t)in(20000)};
  if (syscall(SYS_io_uring_enter, peer, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &wait,
              sizeof wait) < 0)
    return -1;
  return ring.results[0].res;
}

// Waits until the pipe is readable, which completes like any other request.
static void make_aio_context(void) {
  make_pipe();
  CHECK_OK(syscall(SYS_io_setup, 4, &context));
  static struct iocb poll_in;
  poll_in.aio_lio_opcode = IOCB_CMD_POLL;
  poll_in.aio_fildes = (uint32_t)fd[0];
  poll_in.aio_buf = POLLIN;
  struct iocb* one = &poll_in;
  CHECK_EQ(syscall(SYS_io_submit, context, 1, &one), 1);
}

#define GOES_ON                                                                         \
  "semop", "semop_zero", "semop_removed", "semtimedop", "lio_listio", "io_uring_enter", \
      "io_uring_timeout", "io_getevents", "io_pgetevents"
#define FAMILY "tests/coverage/ipc.inc"
#include "tests/coverage/cover_main.h"
