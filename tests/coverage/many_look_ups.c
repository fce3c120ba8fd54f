// A thousand threads ask a name server that takes 300 ms for each answer, at the same time, by
// every function there is for it: the answers are right, and the waits run side by side.
#include <sys/resource.h>

#include "tests/coverage/dns_server.h"

enum { kDelayMs = 300, kQueue = 8192 };

static int server, port;

struct question {
  int64_t due;
  struct sockaddr_in from;
  size_t size;
  unsigned char message[128];
};
static struct question queue[kQueue];

// Answers each question when it is due, in the order in which they came.
static void* serve(void* unused) {
  size_t first = 0, last = 0;
  for (;;) {
    int64_t left = first < last ? queue[first % kQueue].due - now_ns(CLOCK_MONOTONIC) : SECOND;
    struct pollfd p = {server, POLLIN, 0};
    if (left > 0 && poll(&p, 1, (int)(left / MS) + 1) > 0) {
      struct question* q = &queue[last % kQueue];
      socklen_t length = sizeof q->from;
      ssize_t size = recvfrom(server, q->message, 100, 0, (struct sockaddr*)&q->from, &length);
      if (size == 1) return unused;
      CHECK(size > 12 && last - first < kQueue);
      q->due = now_ns(CLOCK_MONOTONIC) + kDelayMs * MS;
      q->size = dns_answer(q->message, (size_t)size);
      last++;
    }
    for (; first < last && queue[first % kQueue].due <= now_ns(CLOCK_MONOTONIC); first++) {
      struct question* q = &queue[first % kQueue];
      sendto(server, q->message, q->size, 0, (struct sockaddr*)&q->from, sizeof q->from);
    }
  }
}

static int is_ten(const void* address) { return memcmp(address, "\12\0\0\1", 4) == 0; }

static void by_addrinfo(void) {
  struct addrinfo stream = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET}, *found;
  CHECK_EQ(getaddrinfo("host.test", "80", &stream, &found), 0);
  const struct sockaddr_in* address = (const struct sockaddr_in*)found->ai_addr;
  CHECK(is_ten(&address->sin_addr) && address->sin_port == htons(80));
  freeaddrinfo(found);
}

static void by_host(void) {
  struct hostent entry, *host = NULL;
  char room[1024];
  int error;
  CHECK_EQ(gethostbyname_r("host.test", &entry, room, sizeof room, &host, &error), 0);
  CHECK(host && is_ten(host->h_addr_list[0]));
}

static void by_address(void) {
  struct sockaddr_in ten = {.sin_family = AF_INET, .sin_addr = {htonl(0x0a000001)}};
  char name[64];
  CHECK_EQ(getnameinfo((struct sockaddr*)&ten, sizeof ten, name, sizeof name, NULL, 0, NI_NAMEREQD),
           0);
  CHECK(strcmp(name, "host.test") == 0);
}

static void* ask(void* number) {
  use_dns_server(port);
  switch ((size_t)number % 3) {
    case 0: by_addrinfo(); break;
    case 1: by_host(); break;
    default: by_address();
  }
  return number;
}

int main(int argc, char** argv) {
  int count = arg_or(argc, argv, 1, 1000);
  server = bound_socket(SOCK_DGRAM);
  port = port_of(server);
  int room = 8 << 20;  // no question is lost
  setsockopt(server, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  struct rlimit files = {8192, 8192};
  CHECK_OK(setrlimit(RLIMIT_NOFILE, &files));
  pthread_t serving = spawn(serve, NULL);
  pthread_t* thread = malloc((size_t)count * sizeof *thread);
  int64_t begin = now_ns(CLOCK_MONOTONIC);
  for (int i = 0; i < count; i++) thread[i] = spawn(ask, (void*)(size_t)i);
  for (int i = 0; i < count; i++) join(thread[i]);
  int64_t took = now_ns(CLOCK_MONOTONIC) - begin;
  CHECK(took >= kDelayMs * MS);
  // One after the other they would take count times the delay.
  CHECK(took < count * kDelayMs * MS / 10);
  struct sockaddr_in to = loopback(port);
  CHECK_EQ(sendto(server, "x", 1, 0, (struct sockaddr*)&to, sizeof to), 1);
  join(serving);
  fprintf(stderr, "%d look-ups in %lld ms\n", count, (long long)(took / MS));
  printf("%d answers\n", count);
  free(thread);
}
