"""Run by gdb: from the second call of scenario() to its end, instruction by instruction. At each,
the backtrace must reach an outermost frame. Prints what it has seen."""

import gdb

LIMIT = 50000


def reaches_the_end():
    frame, inner = gdb.newest_frame(), None
    while frame.older():
        frame, inner = frame.older(), frame
    return (frame.name() == "main" or
            frame.unwind_stop_reason() == gdb.FRAME_UNWIND_OUTERMOST or
            # libc's own: no caller yet, between the system call and the test of its result.
            inner is not None and inner.name() == "clone3" and frame.pc() == 0)


gdb.execute("break scenario")
gdb.execute("run")
gdb.execute("continue")
gdb.execute("set scheduler-locking step")
gdb.execute("delete")
steps, libraries, lost = 0, set(), []
while steps < LIMIT and gdb.newest_frame().name() != "main":
    pc = gdb.newest_frame().pc()
    libraries.add((gdb.solib_name(pc) or "program").rsplit("/", 1)[-1])
    if not reaches_the_end():
        lost.append(f"{pc:#x} in {gdb.newest_frame().name()}")
    gdb.execute("stepi", to_string=True)
    steps += 1
print("steps", steps)
print("libraries", *sorted(libraries))
print("ended", steps < LIMIT)
print("lost", len(lost), *lost[:20])
