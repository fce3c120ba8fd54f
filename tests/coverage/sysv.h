// A System V semaphore or message queue for a case to block on; `id` names it (svipc(7)).
#pragma once

#include <sys/msg.h>
#include <sys/sem.h>

#include "tests/coverage/cover.h"

static int id;
static struct sembuf take = {0, -1, 0};

static void remove_semaphore(void) { semctl(id, 0, IPC_RMID); }
static void make_semaphore(void) {
  CHECK((id = semget(IPC_PRIVATE, 1, 0600)) >= 0);
  at_end = remove_semaphore;
}

static void remove_queue(void) { msgctl(id, IPC_RMID, NULL); }
static void make_queue(void) {
  CHECK((id = msgget(IPC_PRIVATE, 0600)) >= 0);
  at_end = remove_queue;
}
