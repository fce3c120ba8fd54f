// shared_mutex and shared_timed_mutex: readers share, writers exclude, timed tries time out.
#include "check.h"

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

int main() {
  std::shared_mutex mutex;
  int a = 0, b = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; t++) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; i++) {
        if ((i + t) % 8 == 0) {
          std::unique_lock lock(mutex);
          a++;
          if (i % 64 == 0) std::this_thread::yield();
          b++;
        } else {
          std::shared_lock lock(mutex);
          CHECK_EQ(a, b);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK_EQ(a, 2000);
  CHECK_EQ(b, 2000);

  std::shared_timed_mutex timed;
  timed.lock_shared();
  std::thread([&] {
    CHECK(timed.try_lock_shared());
    timed.unlock_shared();
    auto start = std::chrono::steady_clock::now();
    CHECK(!timed.try_lock_for(20ms));
    CHECK(std::chrono::steady_clock::now() - start >= 20ms);
    CHECK(timed.try_lock_shared_for(5s));
    timed.unlock_shared();
  }).join();
  timed.unlock_shared();
  CHECK(timed.try_lock());
  timed.unlock();
  printf("%d writes\n", a);
}
