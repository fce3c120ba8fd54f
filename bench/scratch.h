// A temporary directory that is gone when the program ends, also by a signal.

#ifndef BENCH_SCRATCH_H_
#define BENCH_SCRATCH_H_

// Its path, made on the first call, under TMPDIR or /tmp.
const char* scratch_directory(void);

#endif  // BENCH_SCRATCH_H_
