// std::thread: arguments, moves, ids, joinability, detach, and the errors that join reports.
#include "check.h"

#include <atomic>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

int main() {
  std::vector<std::thread> threads;
  std::vector<std::string> results(50);
  std::vector<std::thread::id> ids(50);
  for (int i = 0; i < 50; i++) {
    threads.emplace_back(
        [&](int n, std::string text) {
          std::this_thread::yield();
          ids[n] = std::this_thread::get_id();
          results[n] = text + std::to_string(n);
        },
        i, "thread ");
  }
  std::set<std::thread::id> expected;
  for (auto& thread : threads) expected.insert(thread.get_id());
  for (auto& thread : threads) {
    CHECK(thread.joinable());
    thread.join();
    CHECK(!thread.joinable());
  }
  CHECK_EQ(expected.size(), 50);
  CHECK(expected == std::set<std::thread::id>(ids.begin(), ids.end()));
  for (int i = 0; i < 50; i++) CHECK(results[i] == "thread " + std::to_string(i));

  std::atomic<bool> done{false};
  std::thread detached([&] { done = true; });
  std::thread moved = std::move(detached);
  CHECK(!detached.joinable());
  moved.detach();
  AWAIT(done);

  std::error_code code;
  try {
    moved.join();
  } catch (const std::system_error& error) {
    code = error.code();
  }
  CHECK(code == std::errc::invalid_argument);
  CHECK(std::thread::hardware_concurrency() > 0);
  puts(results.back().c_str());
}
