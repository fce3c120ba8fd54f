// Cancel and pthread_exit unwind C++ frames: destructors run innermost first, catch (...) sees the
// unwinding and passes it on, mutexes held by guards come free.
#include "check.h"

#include <cxxabi.h>
#include <atomic>
#include <mutex>
#include <string>

static std::mutex mutex;
static std::string order;
static std::atomic<bool> inside;

struct Note {
  explicit Note(char letter) : letter(letter) {}
  ~Note() { order += letter; }
  char letter;
};

static void Blocked(bool exits) {
  Note inner('c');
  std::lock_guard guard(mutex);
  inside = true;
  if (exits) pthread_exit(&order);
  char byte;
  int fds[2];
  CHECK_EQ(pipe(fds), 0);
  CHECK_EQ(read(fds[0], &byte, 1), -2);
}

static void* Body(void* exits) {
  Note outer('a');
  try {
    Note middle('b');
    Blocked(exits != nullptr);
  } catch (abi::__forced_unwind&) {
    order += '!';
    throw;
  } catch (...) {
    CHECK_FAIL("another exception");
  }
  CHECK_FAIL("came back");
}

int main() {
  for (int round = 0; round < 20; round++) {
    order.clear();
    inside = false;
    pthread_t thread = spawn(Body, nullptr);
    AWAIT(inside);
    if (round % 2) sleep_ms(3);
    CHECK_OK(pthread_cancel(thread));
    CHECK(join(thread) == PTHREAD_CANCELED);
    CHECK(order == "cb!a");
    CHECK(mutex.try_lock());
    mutex.unlock();
    CHECK(join(spawn(Body, &order)) == &order);
    CHECK(order == "cb!acb!a");
  }
  puts(order.c_str());
}
