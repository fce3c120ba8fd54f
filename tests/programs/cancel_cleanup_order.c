// Cleanup handlers run last in, first out, on cancel and on exit; popped ones do not; keys'
// destructors run after them.
#include "check.h"

static char order[32];
static pthread_key_t key;

static void note(void* letter) { strncat(order, letter, 1); }

static void inner(void) {
  pthread_cleanup_push(note, "c");
  pthread_cleanup_push(note, "x");
  pthread_cleanup_pop(0);
  pthread_cleanup_push(note, "d");
  pthread_cleanup_pop(1);
  pause();
  pthread_cleanup_pop(0);
}

static void* body(void* exits) {
  CHECK_OK(pthread_setspecific(key, "k"));
  pthread_cleanup_push(note, "a");
  pthread_cleanup_push(note, "b");
  if (exits) pthread_exit(exits);
  inner();
  pthread_cleanup_pop(0);
  pthread_cleanup_pop(0);
  return NULL;
}

int main(void) {
  CHECK_OK(pthread_key_create(&key, note));
  pthread_t thread = spawn(body, NULL);
  sleep_ms(10);
  CHECK_OK(pthread_cancel(thread));
  CHECK(join(thread) == PTHREAD_CANCELED);
  CHECK(strcmp(order, "dcbak") == 0);
  strcat(order, " ");
  CHECK(join(spawn(body, order)) == order);
  CHECK(strcmp(order, "dcbak bak") == 0);
  puts(order);
}
