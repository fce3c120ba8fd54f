#include <dlfcn.h>
#include <pthread.h>

using Create = int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

extern "C" __attribute__((visibility("default"))) int pthread_create(
    pthread_t* thread, const pthread_attr_t* attr, void* (*start)(void*), void* arg) noexcept {
  static Create* real = reinterpret_cast<Create*>(dlsym(RTLD_NEXT, "pthread_create"));
  return real(thread, attr, start, arg);
}
