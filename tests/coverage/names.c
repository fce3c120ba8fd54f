// Coverage: name look-ups.
#include "tests/coverage/cover.h"
#include "tests/coverage/dns_server.h"

static struct addrinfo* found;
static struct addrinfo only_stream = {.ai_socktype = SOCK_STREAM};
static struct hostent entry, *host;
static char room[4096];
static unsigned char reply[512];
static int error;

static void serve(void) { fd[0] = bound_socket(SOCK_DGRAM); }
static void use_server(void) { use_dns_server(port_of(fd[0])); }

// Every question until the look-up has returned.
static void answer(void) {
  unsigned char message[600];
  struct pollfd p = {fd[0], POLLIN, 0};
  while (!returned) {
    if (poll(&p, 1, 1) == 0) continue;
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    ssize_t size = recvfrom(fd[0], message, 512, 0, (struct sockaddr*)&from, &length);
    CHECK(size > 12);
    size_t end = dns_answer(message, (size_t)size);
    sendto(fd[0], message, end, 0, (struct sockaddr*)&from, length);
  }
}

static struct sockaddr* ten(void) {
  static struct sockaddr_in address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(0x0a000001);
  return (struct sockaddr*)&address;
}

static long send_query(void) {
  unsigned char query[512];
  int size =
      res_mkquery(ns_o_query, "host.test", ns_c_in, ns_t_a, NULL, 0, NULL, query, sizeof query);
  return ok(size > 0 && res_send(query, size, reply, sizeof reply) > 0);
}

// The look-up's own thread waits in opening the aliases, which are a FIFO.
static void make_alias_file(void) {
  unlink("aliases");
  CHECK_OK(mkfifo("aliases", 0600));
  setenv("HOSTALIASES", "aliases", 1);
  setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
}

static void write_alias(void) {
  int to = open("aliases", O_WRONLY);
  CHECK(to >= 0);
  CHECK_OK(unlink("aliases"));
  CHECK_OK(close(to));
}

static struct gaicb* request(void) {
  static struct gaicb one = {.ar_name = "alias"};
  return &one;
}

static struct gaicb** list_of(struct gaicb* one) {
  static struct gaicb* only[1];
  only[0] = one;
  return only;
}

static const struct gaicb** waits_for(void) { return (const struct gaicb**)list_of(request()); }

static struct timespec* in_30ms(void) {
  static struct timespec t;
  t = to_timespec(30 * MS);
  return &t;
}

#define GOES_ON "getaddrinfo_a", "gai_suspend"
#define FAMILY "tests/coverage/names.inc"
#include "tests/coverage/cover_main.h"
