// Prints the preloads it sees and the GREEN_WORKERS, then ends with the status
// its first argument names.
#include <stdio.h>
#include <stdlib.h>

static const char* Variable(const char* name) {
  const char* value = getenv(name);
  return value ? value : "unset";
}

int main(int argc, char** argv) {
  printf("LD_PRELOAD=%s\nGREEN_WORKERS=%s\n", Variable("LD_PRELOAD"), Variable("GREEN_WORKERS"));
  return argc > 1 ? atoi(argv[1]) : 0;
}
