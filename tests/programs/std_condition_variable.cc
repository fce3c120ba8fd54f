// A bounded queue over std::condition_variable: nothing lost, nothing twice, order kept.
#include "check.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

class Queue {
 public:
  void Put(int value) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return items_.size() < 4; });
    items_.push_back(value);
    some_.notify_one();
  }
  int Take() {
    std::unique_lock lock(mutex_);
    some_.wait(lock, [&] { return !items_.empty(); });
    int value = items_.front();
    items_.pop_front();
    room_.notify_one();
    return value;
  }

 private:
  std::mutex mutex_;
  std::condition_variable some_, room_;
  std::deque<int> items_;
};

int main(int argc, char** argv) {
  const int producers = 4, each = arg_or(argc, argv, 1, 3000);
  Queue queue;
  std::vector<std::thread> threads;
  for (int p = 0; p < producers; p++) {
    threads.emplace_back([&, p] {
      for (int i = 0; i < each; i++) queue.Put(p * each + i);
    });
  }
  std::vector<int> next(producers, 0);
  for (int i = 0; i < producers * each; i++) {
    int value = queue.Take(), producer = value / each;
    CHECK_EQ(value % each, next[producer]);
    next[producer]++;
  }
  for (auto& thread : threads) thread.join();

  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  auto start = std::chrono::steady_clock::now();
  CHECK(!never.wait_for(lock, 20ms, [] { return false; }));
  CHECK(std::chrono::steady_clock::now() - start >= 20ms);
  CHECK(lock.owns_lock());
  printf("%d taken\n", producers * each);
}
