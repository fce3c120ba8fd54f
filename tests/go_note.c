// A program with threads and the note by which Go's linker marks its output.
#include "tests/programs/check.h"

__asm__(
    ".pushsection .note.go.buildid, \"a\", @note\n"
    ".balign 4\n .long 4, 8, 4\n .asciz \"Go\\0\"\n .ascii \"build/id\"\n"
    ".popsection");

static void* body(void* unused) {
  puts("a thread");
  return unused;
}

int main(void) {
  join(spawn(body, NULL));
  join(spawn(body, NULL));
}
