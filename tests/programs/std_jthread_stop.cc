// std::jthread and stop tokens: a stop request wakes a condition_variable_any wait, runs
// callbacks on the requester, and the destructor joins.
#include "check.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

int main() {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::atomic<int> stopped{0}, called{0}, loops{0};
  {
    std::vector<std::jthread> waiters;
    for (int i = 0; i < 20; i++) {
      waiters.emplace_back([&](std::stop_token stop) {
        std::unique_lock lock(mutex);
        bool satisfied = changed.wait(lock, stop, [] { return false; });
        CHECK(!satisfied);
        CHECK(stop.stop_requested());
        stopped++;
      });
    }
  }
  CHECK_EQ(stopped.load(), 20);

  std::jthread looper([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      loops++;
      std::this_thread::yield();
    }
  });
  AWAIT(loops > 3);
  std::thread::id caller;
  std::stop_callback callback(looper.get_stop_token(), [&] {
    called++;
    caller = std::this_thread::get_id();
  });
  CHECK(looper.request_stop());
  CHECK(!looper.request_stop());
  CHECK_EQ(called.load(), 1);
  CHECK(caller == std::this_thread::get_id());
  looper.join();
  printf("%d stopped\n", stopped.load());
}
