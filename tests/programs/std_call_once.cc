// call_once lets the next caller try when one throws, and magic statics do the same.
#include "check.h"

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

static std::atomic<int> attempts{0}, constructions{0};

struct Magic {
  Magic() {
    std::this_thread::yield();
    if (++constructions < 3) throw std::runtime_error("not yet");
  }
  int value = 11;
};

static Magic& Instance() {
  static Magic instance;
  return instance;
}

int main() {
  std::once_flag flag;
  std::atomic<int> thrown{0}, magic_thrown{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 32; i++) {
    threads.emplace_back([&] {
      try {
        std::call_once(flag, [] {
          std::this_thread::yield();
          if (++attempts < 4) throw std::runtime_error("again");
        });
      } catch (const std::runtime_error&) {
        thrown++;
      }
      try {
        CHECK_EQ(Instance().value, 11);
      } catch (const std::runtime_error&) {
        magic_thrown++;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK_EQ(attempts.load(), 4);
  CHECK_EQ(thrown.load(), 3);
  CHECK_EQ(constructions.load(), 3);
  CHECK_EQ(magic_thrown.load(), 2);
  printf("%d attempts\n", attempts.load());
}
