// A file of which poll(2) never says POLLOUT takes a write at once all the same: the answers of a
// fanotify group to the opens that wait for them. fanotify(7).
#include "tests/programs/check.h"

#include <fcntl.h>
#include <sys/fanotify.h>

enum { kOpens = 20 };

static int group;

static void* answer(void* unused) {
  for (int i = 0; i < kOpens; ++i) {
    struct fanotify_event_metadata event;
    CHECK_EQ(read(group, &event, sizeof event), sizeof event);
    CHECK_EQ(event.mask & FAN_OPEN_PERM, FAN_OPEN_PERM);
    struct fanotify_response response = {event.fd, i % 2 ? FAN_DENY : FAN_ALLOW};
    CHECK_EQ(write(group, &response, sizeof response), sizeof response);
    CHECK_OK(close(event.fd));
  }
  return unused;
}

int main(void) {
  int file = open("watched", O_CREAT | O_RDWR, 0600);
  CHECK(file >= 0);
  group = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
  if (group < 0) {
    CHECK_EQ(errno, EPERM);
    printf("needs CAP_SYS_ADMIN\n");
    return 0;
  }
  CHECK_OK(fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, "watched"));
  pthread_t answers;
  CHECK_OK(pthread_create(&answers, NULL, answer, NULL));
  for (int i = 0; i < kOpens; ++i) {
    int fd = open("watched", O_RDONLY);
    if (i % 2) CHECK_EQ(errno, EPERM);
    CHECK_EQ(fd < 0, i % 2);
    if (fd >= 0) CHECK_OK(close(fd));
  }
  CHECK_OK(pthread_join(answers, NULL));
  CHECK_OK(unlink("watched"));
  printf("%d opens answered\n", kOpens);
  return 0;
}
