// Futures: async, promise, packaged_task, shared_future, exceptions through them, timeouts.
#include "check.h"

#include <future>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

static int Fibonacci(int n) {
  if (n < 2) return n;
  if (n < 18) return Fibonacci(n - 1) + Fibonacci(n - 2);
  auto left = std::async(std::launch::async, Fibonacci, n - 1);
  return Fibonacci(n - 2) + left.get();
}

int main() {
  CHECK_EQ(Fibonacci(24), 46368);

  auto thrower = std::async(std::launch::async, []() -> int { throw std::out_of_range("far"); });
  std::string what;
  try {
    thrower.get();
  } catch (const std::out_of_range& error) {
    what = error.what();
  }
  CHECK(what == "far");

  std::promise<int> promise;
  std::shared_future<int> shared = promise.get_future().share();
  std::vector<std::future<int>> readers;
  for (int i = 0; i < 20; i++) {
    readers.push_back(std::async(std::launch::async, [shared, i] { return shared.get() + i; }));
  }
  auto start = std::chrono::steady_clock::now();
  CHECK(shared.wait_for(20ms) == std::future_status::timeout);
  CHECK(std::chrono::steady_clock::now() - start >= 20ms);
  promise.set_value(100);
  int sum = 0;
  for (auto& reader : readers) sum += reader.get();
  CHECK_EQ(sum, 2190);

  std::packaged_task<int(int)> task([](int n) { return n * n; });
  auto squared = task.get_future();
  std::thread(std::move(task), 12).join();
  CHECK(squared.wait_until(std::chrono::system_clock::now() + 5s) == std::future_status::ready);
  CHECK_EQ(squared.get(), 144);

  std::future<void> broken;
  { broken = std::promise<void>().get_future(); }
  bool was_broken = false;
  try {
    broken.get();
  } catch (const std::future_error& error) {
    was_broken = error.code() == std::future_errc::broken_promise;
  }
  CHECK(was_broken);
  printf("sum %d\n", sum);
}
