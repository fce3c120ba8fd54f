// C++ thread_local objects: built on first use, destroyed at the thread's end in reverse order,
// also for detached threads, after pthread_exit, and before the joiner goes on.
#include "check.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

static std::atomic<int> built{0}, destroyed{0}, wrong_order{0};
static thread_local int alive = 0;

struct Local {
  explicit Local(int rank) : rank(rank), text(100 + rank, 'x') {
    alive++;
    built++;
  }
  ~Local() {
    if (alive != rank || text.size() != 100u + rank) wrong_order++;
    alive--;
    destroyed++;
  }
  int rank;
  std::string text;
};

static void Use() {
  thread_local Local first(1);
  std::this_thread::yield();
  thread_local Local second(2);
  usleep(50);
  thread_local Local third(3);
  CHECK_EQ(first.rank + second.rank + third.rank, 6);
  first.text[0] = second.text[0] = third.text[0] = 'y';
  CHECK_EQ(alive, 3);
}

static void* UseAndExit(void* value) {
  Use();
  pthread_exit(value);
}

int main() {
  for (int round = 0; round < 10; round++) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 20; i++) threads.emplace_back(Use);
    for (auto& thread : threads) thread.join();
    CHECK(join(spawn(UseAndExit, &threads)) == &threads);
    CHECK_EQ(destroyed.load(), built.load());
    CHECK_EQ(built.load(), (round + 1) * 63);
  }
  for (int i = 0; i < 20; i++) std::thread(Use).detach();
  AWAIT(destroyed == 690);
  CHECK_EQ(wrong_order.load(), 0);
  printf("%d destroyed\n", destroyed.load());
}
