// The shared object that tls_dlopen.c loads: its __thread variables are reached through
// __tls_get_addr.
static __thread int counter = 100;
static __thread char block[3000];

int bump(int by) {
  block[2999]++;
  return counter += by;
}

int* address(void) { return &counter; }
int touched(void) { return block[2999]; }
