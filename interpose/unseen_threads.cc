// libc functions that make threads of their own without calling pthread_create by name:
// asynchronous I/O (aio(7)), look-ups beside (getaddrinfo_a(3)), notification by a new thread
// (sigevent(3type)). The runtime must have started by then; libc's functions do the work.
#include <aio.h>
#include <mqueue.h>
#include <netdb.h>
#include <signal.h>
#include <time.h>

#include "interpose/real.h"

using namespace green;

namespace {
bool ByThread(const sigevent* event) { return event && event->sigev_notify == SIGEV_THREAD; }
}  // namespace

GREEN_EXPORT int aio_read(aiocb* request) noexcept {
  EnsureStarted();
  return GREEN_REAL(aio_read)(request);
}

GREEN_EXPORT int aio_write(aiocb* request) noexcept {
  EnsureStarted();
  return GREEN_REAL(aio_write)(request);
}

GREEN_EXPORT int aio_fsync(int operation, aiocb* request) noexcept {
  EnsureStarted();
  return GREEN_REAL(aio_fsync)(operation, request);
}

GREEN_EXPORT int lio_listio(int mode, aiocb* const list[], int count, sigevent* event) noexcept {
  EnsureStarted();
  return GREEN_REAL(lio_listio)(mode, list, count, event);
}

GREEN_EXPORT int aio_read64(aiocb64* request) noexcept {
  EnsureStarted();
  return GREEN_REAL(aio_read64)(request);
}

GREEN_EXPORT int aio_write64(aiocb64* request) noexcept {
  EnsureStarted();
  return GREEN_REAL(aio_write64)(request);
}

GREEN_EXPORT int aio_fsync64(int operation, aiocb64* request) noexcept {
  EnsureStarted();
  return GREEN_REAL(aio_fsync64)(operation, request);
}

GREEN_EXPORT int lio_listio64(int mode, aiocb64* const list[], int count,
                              sigevent* event) noexcept {
  EnsureStarted();
  return GREEN_REAL(lio_listio64)(mode, list, count, event);
}

GREEN_EXPORT int getaddrinfo_a(int mode, gaicb* list[], int count, sigevent* event) noexcept {
  EnsureStarted();
  return GREEN_REAL(getaddrinfo_a)(mode, list, count, event);
}

GREEN_EXPORT int mq_notify(mqd_t queue, const sigevent* event) noexcept {
  if (ByThread(event)) EnsureStarted();
  return GREEN_REAL(mq_notify)(queue, event);
}

GREEN_EXPORT int timer_create(clockid_t clock, sigevent* event, timer_t* timer) noexcept {
  if (ByThread(event)) EnsureStarted();
  return GREEN_REAL(timer_create)(clock, event, timer);
}
