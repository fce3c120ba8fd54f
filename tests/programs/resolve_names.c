// getaddrinfo in many threads: localhost, numeric addresses, refusals, reverse look-up, services.
#include "net.h"

#include <netdb.h>

static void* body(void* argument) {
  for (int i = 0; i < 10; i++) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    char port[16];
    int number = 1000 + (int)(intptr_t)argument * 10 + i;
    snprintf(port, sizeof port, "%d", number);
    CHECK_OK(getaddrinfo("localhost", port, &hints, &found));
    struct sockaddr_in* address = (struct sockaddr_in*)found->ai_addr;
    CHECK_EQ(address->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_EQ(ntohs(address->sin_port), number);
    freeaddrinfo(found);

    hints.ai_flags = AI_NUMERICHOST;
    CHECK_OK(getaddrinfo("192.0.2.7", port, &hints, &found));
    char host[64], service[16];
    CHECK_OK(getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, service,
                         sizeof service, NI_NUMERICHOST | NI_NUMERICSERV));
    CHECK(strcmp(host, "192.0.2.7") == 0 && strcmp(service, port) == 0);
    freeaddrinfo(found);
    hints.ai_family = AF_INET6;
    CHECK_OK(getaddrinfo("2001:db8::1", NULL, &hints, &found));
    CHECK_EQ(found->ai_family, AF_INET6);
    freeaddrinfo(found);
    CHECK_EQ(getaddrinfo("not a number", NULL, &hints, &found), EAI_NONAME);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[16];
  for (intptr_t i = 0; i < 16; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < 16; i++) join(threads[i]);
  printf("160 looked up\n");
}
