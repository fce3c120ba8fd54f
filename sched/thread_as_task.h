// For tests and benchmarks of what tasks meet at: threads in place of tasks. Park and Unpark are
// defined in thread_as_task.cc, on the task's own state word, so that the scheduler is not linked.
// GS base points to a Carrier as in life.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "arch/x86_64/base_registers.h"
#include "sched/scheduler.h"

namespace green {

// How often a waker was asked to give way.
extern std::atomic<int> times_asked;

// A thread that is a task for as long as it lives.
class TaskThread {
 public:
  explicit TaskThread(std::function<void()> body)
      : task_(NewTask()), thread_([this, body] {
          carrier_.self = &carrier_;
          carrier_.in_green = 1;
          carrier_.task = task_;
          carrier_.worker = &worker_;
          SetGsBase(reinterpret_cast<uintptr_t>(&carrier_));
          body();
          SetGsBase(0);
        }) {}
  ~TaskThread() { Join(); }
  void Join() {
    if (!thread_.joinable()) return;
    thread_.join();
    FreeTask(task_);
  }
  Task* task() { return task_; }

 private:
  Task* const task_;
  Carrier carrier_{};
  Worker worker_;
  std::thread thread_;
};

}  // namespace green
