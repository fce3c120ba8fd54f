// Computing threads are preempted wherever they are: in malloc, in printf, in the loader's
// dl_iterate_phdr, in a C++ throw. Whoever waits for a lock that one of them holds there gets it.
#include "check.h"

#include <link.h>

#include <stdexcept>
#include <string>

namespace {

constexpr int kThreads = 3;  // of each kind
bool stop;
int turns[5][kThreads];

void Allocate(unsigned seed) {
  char* blocks[32];
  for (int i = 0; i < 32; ++i) {
    size_t size = 16 + (seed = seed * 1664525 + 1013904223) % 5000;
    blocks[i] = static_cast<char*>(malloc(size));
    memset(blocks[i], static_cast<int>(seed), size);
  }
  for (char* block : blocks) free(block);
}

void Print(unsigned seed) {
  static FILE* nowhere = fopen("/dev/null", "w");  // one, so that its lock is contended
  char text[64];
  for (int i = 0; i < 50; ++i) CHECK(fprintf(nowhere, "%d %s %.6f\n", i, "abc", seed * 0.1) > 0);
  CHECK_EQ(snprintf(text, sizeof text, "%08u", 1234u), 8);
  CHECK(strcmp(text, "00001234") == 0);
}

void Iterate(unsigned) {
  int objects = 0;
  for (int i = 0; i < 50; ++i, objects = 0) {
    dl_iterate_phdr([](dl_phdr_info*, size_t, void* n) { return ++*static_cast<int*>(n), 0; },
                    &objects);
    CHECK(objects > 3);
  }
}

[[gnu::noinline]] void Throw(int depth, unsigned seed) {
  std::string local(seed % 100, 'x');
  if (depth == 0) throw std::runtime_error(std::to_string(seed));
  Throw(depth - 1, seed);
}

void Catch(unsigned seed) {
  for (int i = 0; i < 20; ++i) {
    try {
      Throw(5, seed);
    } catch (const std::exception& e) {
      CHECK(std::to_string(seed) == e.what());
    }
  }
}

void Compute(unsigned seed) {
  for (unsigned i = 0; i < 100000; ++i) {
    seed = seed * 31 + i;
    asm volatile("" : "+r"(seed));
  }
}

void (*const kinds[])(unsigned) = {Allocate, Print, Iterate, Catch, Compute};

void* Body(void* argument) {
  const auto number = reinterpret_cast<intptr_t>(argument);
  const int kind = static_cast<int>(number) / kThreads, which = static_cast<int>(number) % kThreads;
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    const int turn = __atomic_add_fetch(&turns[kind][which], 1, __ATOMIC_RELAXED);
    kinds[kind](static_cast<unsigned>(turn * 7 + which));
  }
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  pthread_t threads[5 * kThreads];
  for (intptr_t i = 0; i < 5 * kThreads; ++i) threads[i] = spawn(Body, reinterpret_cast<void*>(i));
  sleep_ms(arg_or(argc, argv, 1, 1000));
  for (auto& kind : turns)
    for (int& n : kind) AWAIT(__atomic_load_n(&n, __ATOMIC_RELAXED) > 3);
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  for (pthread_t t : threads) join(t);
  puts("all went on");
}
