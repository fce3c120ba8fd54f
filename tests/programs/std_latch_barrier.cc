// C++20's latch, barrier with completion, counting_semaphore and atomic wait/notify.
#include "check.h"

#include <atomic>
#include <barrier>
#include <latch>
#include <semaphore>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

int main() {
  constexpr int kThreads = 8, kPhases = 200;
  std::latch ready(kThreads);
  int completions = 0;
  std::barrier phase(kThreads, [&]() noexcept { completions++; });
  std::counting_semaphore<3> slots(3);
  std::atomic<int> inside{0}, most{0}, gate{0}, passed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; t++) {
    threads.emplace_back([&] {
      ready.arrive_and_wait();
      for (int i = 0; i < kPhases; i++) {
        CHECK_EQ(completions, i);
        phase.arrive_and_wait();
      }
      for (int i = 0; i < 50; i++) {
        // Not acquire(): libstdc++ 12's can sleep on while the semaphore is free (GCC bug 104928).
        while (!slots.try_acquire_for(20ms)) {
        }
        int now = ++inside, seen = most;
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::yield();
        inside--;
        slots.release();
      }
      gate.wait(0);
      CHECK_EQ(gate.load(), 1);
      passed++;
    });
  }
  ready.wait();
  sleep_ms(20);
  CHECK_EQ(passed.load(), 0);
  gate = 1;
  gate.notify_all();
  for (auto& thread : threads) thread.join();
  CHECK_EQ(completions, kPhases);
  CHECK_EQ(passed.load(), kThreads);
  CHECK(most <= 3 && most >= 1);
  std::binary_semaphore empty(0);
  auto start = std::chrono::steady_clock::now();
  CHECK(!empty.try_acquire_for(20ms));
  CHECK(std::chrono::steady_clock::now() - start >= 19ms);
  printf("%d phases\n", completions);
}
