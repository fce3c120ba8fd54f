// pthread_exit from deep within C++ code of many threads at once: every frame is unwound once.
#include "check.h"

#include <atomic>
#include <memory>
#include <vector>

static std::atomic<int> constructed{0}, destroyed{0};

struct Counted {
  Counted() { constructed++; }
  ~Counted() { destroyed++; }
};

// Opaque, so that the compiler does not take the recursion for an endless one.
[[gnu::noipa]] static void Leave(void* value) {
  sched_yield();
  pthread_exit(value);
}

static void Descend(int depth, void* value) {
  Counted counted;
  auto owned = std::make_unique<Counted>();
  if (depth > 0) {
    Descend(depth - 1, value);
  } else {
    Leave(value);
  }
}

static void* Body(void* argument) {
  static thread_local Counted local;
  asm volatile("" ::"r"(&local) : "memory");
  Descend(20, argument);
  return nullptr;
}

int main() {
  std::vector<pthread_t> threads;
  for (int i = 0; i < 100; i++) threads.push_back(spawn(Body, &threads));
  for (pthread_t thread : threads) CHECK(join(thread) == &threads);
  CHECK_EQ(constructed.load(), 100 * 43);
  CHECK_EQ(destroyed.load(), constructed.load());
  printf("%d destroyed\n", destroyed.load());
}
