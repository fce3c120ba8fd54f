// A loop that keeps a value in every register there is (general, vector as wide as the CPU has,
// mask, x87 stack), in the red zone and in the flags, with control words of its own, finds them all
// as they were, however often it is preempted.
#include "check.h"

#include <stddef.h>

// Both copies hold: 13 general registers, then what the loop was told to keep wide, masks, x87.
struct state {
  uint64_t general[14];  // the last is the red zone's
  uint64_t mask[8];
  double x87[8];
  uint32_t mxcsr;
  uint16_t control, pad;
  uint64_t flags;
  _Alignas(64) unsigned char vector[32][64];
};
_Static_assert(offsetof(struct state, mask) == 112 && offsetof(struct state, x87) == 176, "asm");
_Static_assert(offsetof(struct state, mxcsr) == 240 && offsetof(struct state, flags) == 248, "asm");
_Static_assert(offsetof(struct state, vector) == 256, "asm");

// rdi: loaded from; rsi: stored to; rdx: turns of the loop.
void keep_avx512(const struct state* in, struct state* out, long turns);
void keep_avx(const struct state* in, struct state* out, long turns);
void keep_sse(const struct state* in, struct state* out, long turns);

#define GENERAL "rax, rbx, rbp, rsi, r8, r9, r10, r11, r12, r13, r14, r15, rcx"
#define KEEP(name, load_wide, store_wide)                                                       \
  asm(".text\n.globl " name "\n" name                                                           \
      ":\n"                                                                                     \
      ".irp r, rbx, rbp, r12, r13, r14, r15\n push %\\r\n.endr\n"                               \
      "push %rsi\n sub $16, %rsp\n stmxcsr (%rsp)\n fnstcw 4(%rsp)\n"                           \
      "ldmxcsr 240(%rdi)\n fldcw 244(%rdi)\n"                                                   \
      ".irp n, 7,6,5,4,3,2,1,0\n fldl 176+8*\\n(%rdi)\n.endr\n" load_wide                       \
      "mov 104(%rdi), %rax\n mov %rax, -128(%rsp)\n"                                            \
      ".set at, 0\n.irp r, " GENERAL                                                            \
      "\n mov at(%rdi), %\\r\n .set at, at+8\n.endr\n"                                          \
      "std\n stc\n"                                                                             \
      "1: lea -1(%rdx), %rdx\n inc %rdx\n dec %rdx\n jnz 1b\n"                                  \
      "pushfq\n popq -8(%rsp)\n cld\n mov 16(%rsp), %rdx\n"                                     \
      ".set at, 0\n.irp r, " GENERAL                                                            \
      "\n mov %\\r, at(%rdx)\n .set at, at+8\n.endr\n"                                          \
      "mov -128(%rsp), %rax\n mov %rax, 104(%rdx)\n mov -8(%rsp), %rax\n mov %rax, 248(%rdx)\n" \
      "stmxcsr 240(%rdx)\n fnstcw 244(%rdx)\n" store_wide                                       \
      ".irp n, 0,1,2,3,4,5,6,7\n fstpl 176+8*\\n(%rdx)\n.endr\n"                                \
      "ldmxcsr (%rsp)\n fldcw 4(%rsp)\n add $24, %rsp\n"                                        \
      ".irp r, r15, r14, r13, r12, rbp, rbx\n pop %\\r\n.endr\n ret\n")

#define EACH(n, what) ".irp n," n "\n" what "\n.endr\n"
#define SIXTEEN "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"
#define THE_REST ",16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"
KEEP("keep_sse", EACH(SIXTEEN, "movups 256+64*\\n(%rdi), %xmm\\n"),
     EACH(SIXTEEN, "movups %xmm\\n, 256+64*\\n(%rdx)"));
KEEP("keep_avx", EACH(SIXTEEN, "vmovups 256+64*\\n(%rdi), %ymm\\n"),
     EACH(SIXTEEN, "vmovups %ymm\\n, 256+64*\\n(%rdx)") "vzeroupper\n");
KEEP("keep_avx512",
     EACH(SIXTEEN THE_REST, "vmovups 256+64*\\n(%rdi), %zmm\\n")
         EACH("0,1,2,3,4,5,6,7", "kmovq 112+8*\\n(%rdi), %k\\n"),
     EACH(SIXTEEN THE_REST, "vmovups %zmm\\n, 256+64*\\n(%rdx)")
         EACH("0,1,2,3,4,5,6,7", "kmovq %k\\n, 112+8*\\n(%rdx)") "vzeroupper\n");

enum { THREADS = 6 };
static struct state in[THREADS], out[THREADS];
static void (*keep)(const struct state*, struct state*, long);
static size_t width;

static void* body(void* argument) {
  intptr_t i = (intptr_t)argument;
  for (size_t at = 0; at < sizeof in[i]; at++)
    ((unsigned char*)&in[i])[at] =
        (unsigned char)((uintptr_t)(i + 3) * 2654435761u * (at + 7) >> 11);
  for (int n = 0; n < 8; n++) in[i].x87[n] = (double)(i * 8 + n) + 0.125;
  in[i].mxcsr = 0x1f80u | (unsigned)i % 4 << 13 | (i % 2 ? 0x8040u : 0);  // rounding, FTZ and DAZ
  in[i].control = (uint16_t)(0x037f | i % 4 << 10);
  for (int round = 0; round < 20; round++) {
    memset(&out[i], 0, sizeof out[i]);
    keep(&in[i], &out[i], 3000000);
    CHECK(memcmp(in[i].general, out[i].general, sizeof in[i].general) == 0);
    if (width == 64) CHECK(memcmp(in[i].mask, out[i].mask, sizeof in[i].mask) == 0);
    CHECK(memcmp(in[i].x87, out[i].x87, sizeof in[i].x87) == 0);
    CHECK_EQ(out[i].mxcsr, in[i].mxcsr);
    CHECK_EQ(out[i].control, in[i].control);
    CHECK_EQ(out[i].flags & 0x401, 0x401);  // direction and carry
    for (int n = 0; n < (width == 64 ? 32 : 16); n++)
      CHECK(memcmp(in[i].vector[n], out[i].vector[n], width) == 0);
  }
  return NULL;
}

int main(void) {
  const int avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
  const int avx = __builtin_cpu_supports("avx");
  keep = avx512 ? keep_avx512 : avx ? keep_avx : keep_sse;
  width = avx512 ? 64 : avx ? 32 : 16;
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  printf("registers of %zu bytes kept\n", width);
}
