// Many threads throw, block inside catch blocks and destructors, rethrow, and nest exceptions: each
// has its own exception state.
#include "check.h"

#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static int fds[2];
static std::mutex mutex;

static void Block(int how) {
  char byte = 'x';
  switch (how % 4) {
    case 0: std::this_thread::yield(); break;
    case 1: usleep(50); break;
    case 2:
      CHECK_EQ(write(fds[1], &byte, 1), 1);
      CHECK_EQ(read(fds[0], &byte, 1), 1);
      break;
    case 3: {
      std::lock_guard guard(mutex);
      std::this_thread::yield();
    }
  }
}

struct Blocker {
  explicit Blocker(int how) : how(how) {}
  ~Blocker() {
    CHECK_EQ(std::uncaught_exceptions(), 1);
    Block(how);
    try {
      throw how;
    } catch (int inner) {
      Block(how + 1);
      CHECK_EQ(inner, how);
    }
    CHECK_EQ(std::uncaught_exceptions(), 1);
  }
  int how;
};

static void Body(int id) {
  for (int i = 0; i < 50; i++) {
    std::string text = "thread " + std::to_string(id) + " round " + std::to_string(i);
    bool caught = false;
    try {
      try {
        Blocker blocker(id + i);
        throw std::runtime_error(text);
      } catch (const std::exception& error) {
        CHECK_EQ(std::uncaught_exceptions(), 0);
        Block(id + i + 2);
        CHECK(error.what() == text);
        throw;
      }
    } catch (const std::runtime_error& error) {
      std::exception_ptr current = std::current_exception();
      Block(id + i + 3);
      CHECK(current == std::current_exception());
      CHECK(error.what() == text);
      caught = true;
    }
    CHECK(caught);
    CHECK(std::current_exception() == nullptr);
  }
}

int main() {
  CHECK_OK(pipe(fds));
  std::vector<std::thread> threads;
  for (int i = 0; i < 30; i++) threads.emplace_back(Body, i);
  for (auto& thread : threads) thread.join();
  puts("30 threads, 1500 exceptions");
}
