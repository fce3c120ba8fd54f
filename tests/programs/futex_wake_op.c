// FUTEX_WAKE_OP: every operation and comparison, the value left in the second word, who is woken.
#include "futex.h"

static uint32_t first, second;
static int returned[2];

static void* waiter(void* argument) {
  intptr_t which = (intptr_t)argument;
  CHECK_EQ(futex_wait(which ? &second : &first, which ? 5 : 0), 0);
  __atomic_add_fetch(&returned[which], 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static long wake_op(uint32_t op) {
  return futex(&first, FUTEX_WAKE_OP_PRIVATE, 1, (void*)10, &second, op);
}

static void expect(uint32_t op, uint32_t before, uint32_t after) {
  second = before;
  CHECK_EQ(wake_op(op), 0);
  CHECK_EQ(second, after);
}

int main(void) {
  expect(FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 0), 3, 7);
  expect(FUTEX_OP(FUTEX_OP_ADD, 7, FUTEX_OP_CMP_NE, 0), 3, 10);
  expect(FUTEX_OP(FUTEX_OP_OR, 12, FUTEX_OP_CMP_LT, 0), 3, 15);
  expect(FUTEX_OP(FUTEX_OP_ANDN, 2, FUTEX_OP_CMP_LE, 0), 3, 1);
  expect(FUTEX_OP(FUTEX_OP_XOR, 6, FUTEX_OP_CMP_GT, 0), 3, 5);
  expect(FUTEX_OP((FUTEX_OP_ADD | FUTEX_OP_OPARG_SHIFT), 4, FUTEX_OP_CMP_GE, 0), 3, 19);
  expect(FUTEX_OP(FUTEX_OP_ADD, 0xfff, FUTEX_OP_CMP_GE, 0), 3, 2);  // The argument is signed.

  for (int matches = 0; matches < 2; matches++) {
    memset(returned, 0, sizeof returned);
    first = 0;
    second = 5;
    pthread_t a = spawn(waiter, (void*)0), b[3];
    for (int i = 0; i < 3; i++) b[i] = spawn(waiter, (void*)1);
    sleep_ms(30);  // A waiter that is later still finds the value it expects, below.
    long woken = wake_op(FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, matches ? 5 : 6));
    CHECK(woken >= 0 && woken <= (matches ? 4 : 1));
    AWAIT(__atomic_load_n(&returned[0], __ATOMIC_SEQ_CST) +
              __atomic_load_n(&returned[1], __ATOMIC_SEQ_CST) ==
          woken);
    if (!matches) CHECK_EQ(__atomic_load_n(&returned[1], __ATOMIC_SEQ_CST), 0);
    if (!returned[0]) futex_wake_exactly(&first, 1);
    join(a);
    futex_wake_exactly(&second, 3 - __atomic_load_n(&returned[1], __ATOMIC_SEQ_CST));
    for (int i = 0; i < 3; i++) join(b[i]);
    CHECK_EQ(returned[0] + returned[1], 4);
  }
  printf("all operations\n");
}
