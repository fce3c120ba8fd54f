// Several threads wait on one epoll descriptor with one-shot registrations, as an event-loop server
// does: every message is taken once, and a nested epoll and an eventfd end them all.
#include "net.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

enum { SOCKETS = 30, THREADS = 4 };
static int outer, inner, stop, rounds, pairs[SOCKETS][2], busy[SOCKETS];
static long served;

static void* serve(void* use_outer) {
  for (;;) {
    struct epoll_event event;
    // Those on the outer one see the inner one ready, and may find it empty.
    if (use_outer) {
      CHECK_EQ(epoll_wait(outer, &event, 1, -1), 1);
      if (event.data.u32 == 2) return NULL;
    }
    int got = epoll_wait(inner, &event, 1, use_outer ? 0 : -1);
    CHECK(got == 1 || (use_outer && got == 0));
    if (got == 0) continue;
    if (event.data.u32 == 1000) return NULL;
    int which = (int)event.data.u32, number;
    CHECK_EQ(__atomic_exchange_n(&busy[which], 1, __ATOMIC_SEQ_CST), 0);
    CHECK_EQ(read(pairs[which][0], &number, sizeof number), sizeof number);
    __atomic_add_fetch(&served, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&busy[which], 0, __ATOMIC_SEQ_CST);
    event.events = EPOLLIN | EPOLLONESHOT;
    CHECK_OK(epoll_ctl(inner, EPOLL_CTL_MOD, pairs[which][0], &event));
    write_all(pairs[which][0], &number, sizeof number);
  }
}

static void* client(void* fd) {
  for (int i = 0; i < rounds; i++) {
    int answer;
    write_all((int)(intptr_t)fd, &i, sizeof i);
    CHECK_EQ(read_all((int)(intptr_t)fd, &answer, sizeof answer), sizeof answer);
    CHECK_EQ(answer, i);
  }
  return NULL;
}

int main(int argc, char** argv) {
  rounds = arg_or(argc, argv, 1, 100);
  outer = epoll_create1(0);
  inner = epoll_create1(0);
  stop = eventfd(0, 0);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = 1};
  CHECK_OK(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event));
  pthread_t servers[THREADS], clients[SOCKETS];
  for (intptr_t i = 0; i < THREADS; i++) servers[i] = spawn(serve, (void*)(i % 2));
  for (int i = 0; i < SOCKETS; i++) {
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]));
    event = (struct epoll_event){.events = EPOLLIN | EPOLLONESHOT, .data.u32 = (uint32_t)i};
    CHECK_OK(epoll_ctl(inner, EPOLL_CTL_ADD, pairs[i][0], &event));
    clients[i] = spawn(client, (void*)(intptr_t)pairs[i][1]);
  }
  for (int i = 0; i < SOCKETS; i++) join(clients[i]);
  CHECK_EQ(served, SOCKETS * rounds);
  event = (struct epoll_event){.events = EPOLLIN, .data.u32 = 1000};
  CHECK_OK(epoll_ctl(inner, EPOLL_CTL_ADD, stop, &event));
  event.data.u32 = 2;
  CHECK_OK(epoll_ctl(outer, EPOLL_CTL_ADD, stop, &event));
  CHECK_OK(eventfd_write(stop, 1));  // Level-triggered and never read: it reaches all of them.
  for (int i = 0; i < THREADS; i++) join(servers[i]);
  printf("%ld served\n", served);
}
