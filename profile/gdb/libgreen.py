"""gdb commands that show libgreen's tasks, which gdb itself does not know: its threads are carriers.

    info green-tasks [REGEX]          one line per task; REGEX: only those of such a name
    green-task [N | off]              look at task N: bt, up, frame, print work in it; off: no more
    green-task apply all|N... CMD     run CMD in each
    print $green_tls("VAR")           the thread-local variable VAR of the task looked at
    green-gcore [FILE]                as gcore, with the tasks' stacks

N is the number in the first column, or the one that gettid() tells. Works on a stopped process and
on a core file, and writes to neither: a task that does not run left its registers on its stack
(arch/x86_64/context.h). An unwinder names them as the caller of the innermost function of gdb's
thread. That frame, which is the carrier's, and libgreen's own are left out of backtraces; "bt
-no-filters" has them. All offsets come from libgreen.so's debug information.

Of a core file libthread_db makes a thread of each task, mostly one without registers. These get
their frames in the same way: "thread apply all bt" shows them below an unknown frame 0.
"""

import itertools
import re
import struct

import gdb
import gdb.frames
from gdb.unwinder import Unwinder, register_unwinder

FIRST_TID = 1 << 22  # sched/task.h; the main task has the process's number
TASKS_PER_CHUNK = 256
PARKED = 1
REGISTERS = ("rsp", "rip", "rbp", "rbx", "r12", "r13", "r14", "r15", "fs_base")


# ---- Reading libgreen's tables ----

def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


class Layout:
    """Where the members of a type lie."""

    def __init__(self, name):
        try:
            self.type = gdb.lookup_type(name)
        except gdb.error:
            raise gdb.GdbError("libgreen: its debug information is not here") from None
        self.place = {f.name: (f.bitpos // 8, f.type.sizeof) for f in self.type.fields()
                      if hasattr(f, "bitpos")}

    def get(self, data, name):
        offset, size = self.place[name]
        return int.from_bytes(data[offset:offset + size], "little")

    def text(self, data, name):
        offset, size = self.place[name]
        return data[offset:offset + size].split(b"\0")[0].decode(errors="replace")


def table_of(name, element):
    """The file-local array of that name whose elements are of that type."""
    for symbol in gdb.lookup_static_symbols("green::(anonymous namespace)::" + name):
        if element in str(symbol.type):
            return symbol.value()
    raise gdb.GdbError("libgreen: its debug information is not here")


def wait_reasons():
    return {f.enumval: f.name.rsplit("::k", 1)[1].lower()
            for f in gdb.lookup_type("green::WaitReason").fields()}


class Task:
    """A task as it was when gdb stopped."""

    def __init__(self, layout, data, reasons, carriers):
        self.id = layout.get(data, "index")
        self.tid = layout.get(data, "tid")
        self.name = layout.text(data, "name")
        self.context = layout.get(data, "context")
        self.fs_base = layout.get(data, "fs_base")
        self.on_cpu = layout.get(data, "on_cpu") != 0
        self.parked = layout.get(data, "state") & PARKED
        self.reason = reasons.get(layout.get(data, "reason"), "?")
        self.carrier = layout.get(data, "carrier")
        self.thread = carriers.get(self.carrier) if self.on_cpu else None

    def state(self):
        if self.thread:
            return f"on LWP {self.thread.ptid[1]}"
        if self.on_cpu:
            return "leaving its CPU"
        return f"waiting: {self.reason}" if self.parked else "ready"

    def registers(self):
        """Those it left on its stack, as if green_switch had just returned."""
        layout = Layout("green::SavedContext")
        size = layout.type.sizeof
        data = read(self.context, size)
        values = {r: layout.get(data, r) for r in REGISTERS if r in layout.place}
        values.update(rsp=self.context + size, fs_base=self.fs_base)
        return values


def carriers():
    """gdb's thread by the address of its carrier, to which its GS base points."""
    found = {}
    with same_place():
        for thread in gdb.selected_inferior().threads():
            if thread.ptid[1] >= FIRST_TID:
                continue  # of a core file: a task that libthread_db tells of, without registers
            thread.switch()
            try:
                found[int(gdb.newest_frame().read_register("gs_base"))] = thread
            except gdb.error:
                pass  # it runs, in non-stop mode
    found.pop(0, None)
    return found


def every(*_fields):
    return True


def tasks(wanted=every, threads=None):
    """The live tasks for which wanted(id, tid, name) is true; threads: as carriers() has them."""
    layout = Layout("green::Task")
    chunks = table_of("g_chunks", "green::Task*")
    base, pointer = int(chunks.address), gdb.lookup_type("long").sizeof
    reasons, size = wait_reasons(), layout.type.sizeof
    for i in range(chunks.type.sizeof // pointer):
        chunk = int.from_bytes(read(base + i * pointer, pointer), "little")
        if not chunk:
            return
        memory = read(chunk, size * TASKS_PER_CHUNK)
        for at in range(0, len(memory), size):
            data = memory[at:at + size]
            identity = (layout.get(data, "index"), layout.get(data, "tid"),
                        layout.text(data, "name"))
            if layout.get(data, "alive") and wanted(*identity):
                yield Task(layout, data, reasons, threads or {})


def stopped_tasks(wanted=every):
    """As tasks(), with those that run joined to gdb's threads."""
    if not gdb.selected_inferior().pid:
        raise gdb.GdbError("libgreen: no process and no core file")
    return tasks(wanted, carriers())


def find(number):
    for task in stopped_tasks(lambda id, tid, name: number in (id, tid)):
        return task
    raise gdb.GdbError(f"libgreen: no task {number}")


# ---- The frames of a task ----

class View:
    """The task that is looked at through one of gdb's threads, whose frame 0 stays what it is."""

    current = None
    of_core = {}  # by thread number: of a core file's threads that have no registers

    def __init__(self, task, thread=None):
        self.task = task
        self.registers = task.registers()
        self.ptid = thread and thread.ptid
        self.last_own = None  # the thread's frame; those before it are inlined into it

    def begins_behind(self, pending):
        """Whether this is the frame of the thread that the task's are to follow: the first for
        which an unwinder is asked, as inlined frames need none."""
        if self.last_own is None:
            self.last_own = pending.level()
        return pending.level() == self.last_own


def view_without_registers(tid):
    if tid not in View.of_core:
        View.of_core[tid] = None
        for task in tasks(lambda _id, other, _name: other == tid):
            if not task.on_cpu:
                View.of_core[tid] = View(task)
    return View.of_core[tid]


def view_here():
    """What the selected thread shows instead of its own frames, or None."""
    thread = gdb.selected_thread()
    if not thread:
        return None
    if thread.ptid[1] >= FIRST_TID:
        return view_without_registers(thread.ptid[1])
    return View.current if View.current and View.current.ptid == thread.ptid else None


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = gdb.Value(sp), gdb.Value(pc)


class TaskUnwinder(Unwinder):
    """From frame 0 to the registers that the task left."""

    def __init__(self):
        super().__init__("green-task")

    def __call__(self, pending):
        view = view_here()
        if not view or not view.begins_behind(pending):
            return None
        # Inner to all frames of the task.
        info = pending.create_unwind_info(
            FrameId(view.registers["rsp"] - 64, view.registers["rip"]))
        word = gdb.lookup_type("unsigned long")
        for name, value in view.registers.items():
            info.add_saved_register(name, gdb.Value(value).cast(word))
        return info


class Library:
    name = None  # as the loader has it


def in_libgreen(frame):
    if not Library.name:
        Library.name = gdb.solib_name(int(gdb.parse_and_eval("(long) &green_switch")))
    return gdb.solib_name(frame.pc()) == Library.name


def own_frame(frame):
    """Whether it is the carrier's or libgreen's, not the program's."""
    view = view_here()
    return view and frame.level() <= (view.last_own or 0) or in_libgreen(frame)


class TaskFilter:
    """Begins a task's backtrace where the program called into libgreen."""

    name, priority = "green-task", 1000

    @property
    def enabled(self):
        return view_here() is not None

    def filter(self, frames):
        return itertools.dropwhile(lambda f: own_frame(f.inferior_frame()), frames)


def stop_looking(_event=None):
    if View.current:
        View.current = None
        gdb.invalidate_cached_frames()


def forget_core(_event=None):
    View.of_core.clear()
    Library.name = None


def look_at(task):
    """Selects the thread that runs it; or makes a thread show it, and selects its first frame."""
    stop_looking()
    if task.thread:
        task.thread.switch()
        return
    if task.on_cpu:
        raise gdb.GdbError(f"libgreen: task {task.id} is being switched at this very instant")
    thread = gdb.selected_thread()
    if not thread or thread.ptid[1] >= FIRST_TID:
        thread = next(t for t in gdb.selected_inferior().threads() if t.ptid[1] < FIRST_TID)
        thread.switch()
    View.current = View(task, thread)
    gdb.invalidate_cached_frames()
    frame = gdb.newest_frame()
    while frame.older() and own_frame(frame):
        frame = frame.older()
    frame.select()


class same_place:
    """Comes back to the thread, view and frame that were selected."""

    def __enter__(self):
        self.thread, self.view = gdb.selected_thread(), View.current
        try:
            self.level = gdb.selected_frame().level()
        except gdb.error:
            self.level = None
        stop_looking()

    def __exit__(self, *_exception):
        stop_looking()
        if not self.thread or not self.thread.is_valid():
            return
        self.thread.switch()
        View.current = self.view
        gdb.invalidate_cached_frames()
        if self.level:
            frame = gdb.newest_frame()
            while frame and frame.level() < self.level:
                frame = frame.older()
            if frame:
                frame.select()


# ---- Commands ----

def where(task):
    """The innermost function of the program's that a task is in."""
    try:
        look_at(task)
        frame = gdb.selected_frame()
        while frame.older() and in_libgreen(frame):
            frame = frame.older()
        line = frame.find_sal()
        place = f" at {line.symtab.filename}:{line.line}" if line.symtab else ""
        return f"{frame.name() or hex(frame.pc())} (){place}"
    except gdb.error as error:
        return str(error)


class InfoTasks(gdb.Command):
    """Show libgreen's tasks: number, tid, state, name, and the program's function each is in.
With a regular expression: only tasks of such a name."""

    def __init__(self):
        super().__init__("info green-tasks", gdb.COMMAND_STATUS)

    def invoke(self, argument, _from_tty):
        pattern = re.compile(argument)
        mark = View.current.task.tid if View.current else None
        rows = list(stopped_tasks(lambda id, tid, name: pattern.search(name)))
        print(f"  {'Id':<7} {'Tid':<9} {'State':<18} {'Name':<16} Frame")
        with same_place():
            for t in rows:
                star = "*" if t.tid == mark else " "
                print(f"{star} {t.id:<7} {t.tid:<9} {t.state():<18} {t.name:<16} {where(t)}")


class GreenTask(gdb.Command):
    """Look at one of libgreen's tasks: green-task N, and then bt, up, frame, print as in a thread.
N is a number that "info green-tasks" shows, Id or Tid. "green-task off" goes back to the thread."""

    def __init__(self):
        super().__init__("green-task", gdb.COMMAND_STACK, prefix=True)

    def invoke(self, argument, _from_tty):
        if argument == "off":
            stop_looking()
        elif argument:
            look_at(find(int(gdb.parse_and_eval(argument))))
        thread = gdb.selected_thread()
        if argument == "off" or not thread:
            return
        view = view_here()
        here = [view.task] if view else [
            t for t in stopped_tasks() if t.thread and t.thread.ptid == thread.ptid]
        print(heading(here[0]) if here else "This thread carries no task.")
        if argument:
            gdb.execute("frame")


def heading(task):
    return f'[Task {task.id} (tid {task.tid}) "{task.name}", {task.state()}]'


class GreenTaskApply(gdb.Command):
    """Run a command in several of libgreen's tasks: green-task apply all|N... COMMAND."""

    def __init__(self):
        super().__init__("green-task apply", gdb.COMMAND_STACK, gdb.COMPLETE_COMMAND)

    def invoke(self, argument, _from_tty):
        match = re.match(r"(all|\d+(?:\s+\d+)*)\s+(\S.*)", argument)
        if not match:
            raise gdb.GdbError("green-task apply all|N... COMMAND")
        which, command = match.groups()
        numbers = None if which == "all" else {int(n) for n in which.split()}
        chosen = list(stopped_tasks(
            lambda id, tid, name: numbers is None or numbers & {id, tid}))
        with same_place():
            for task in chosen:
                print("\n" + heading(task))
                try:
                    look_at(task)
                    gdb.execute(command)
                except gdb.error as error:
                    print(error)


class GreenTls(gdb.Function):
    """$green_tls("VAR"): the thread-local variable VAR of the task that "green-task" looks at.
VAR must belong to the program or to a library that was loaded at its start."""

    def __init__(self):
        super().__init__("green_tls")

    def invoke(self, variable):
        fs_base = int(gdb.selected_frame().read_register("fs_base"))
        with same_place():
            for thread in gdb.selected_inferior().threads():
                try:
                    thread.switch()
                    value = gdb.parse_and_eval(variable.string())
                    base = int.from_bytes(thread.handle(), "little")
                except (gdb.error, RuntimeError) as failure:
                    error = failure
                    continue
                moved = int(value.address) - base + fs_base
                return gdb.Value(moved).cast(value.type.pointer()).dereference()
        raise gdb.GdbError(str(error))


PAGE = 4096
FARTHEST = 1 << 30  # a task's stack pointer from its thread structure, which ends its stack


def loaded_segments(core):
    """(address, size, place in the file) of what the core file holds of memory (elf(5))."""
    core.seek(0)
    header = core.read(64)
    (table,), (entry, count) = (struct.unpack_from("<Q", header, 32),
                                struct.unpack_from("<HH", header, 54))
    segments = []
    for i in range(count):
        core.seek(table + i * entry)
        kind, _, offset, address, _, size = struct.unpack("<IIQQQQ", core.read(40))
        if kind == 1:
            segments.append((address, size, offset))
    return segments


class GreenGcore(gdb.Command):
    """Save a core file of the process, as gcore does, with the stacks of libgreen's tasks.
gcore itself leaves the rest of a mapping out from the first page on that cannot be read; tasks'
stacks lie in one mapping, with such pages between them."""

    def __init__(self):
        super().__init__("green-gcore", gdb.COMMAND_FILES, gdb.COMPLETE_FILENAME)

    def invoke(self, argument, _from_tty):
        path = argument.strip() or f"core.{gdb.selected_inferior().pid}"
        ranges = [(self.stack_pointer(task), task.fs_base + PAGE) for task in stopped_tasks()]
        gdb.execute(f"gcore {path}")
        with open(path, "r+b") as core:
            segments = loaded_segments(core)
            for low, high in ranges:
                if low < high < low + FARTHEST:
                    self.fill(core, segments, low // PAGE * PAGE, high)

    @staticmethod
    def stack_pointer(task):
        if not task.thread:
            return task.context
        with same_place():
            task.thread.switch()
            return int(gdb.newest_frame().read_register("rsp"))

    @staticmethod
    def fill(core, segments, low, high):
        for page in range(low, high, PAGE):
            for address, size, offset in segments:
                if address <= page <= address + size - PAGE:
                    try:
                        data = read(page, PAGE)
                    except gdb.MemoryError:
                        break
                    core.seek(offset + page - address)
                    core.write(data)


register_unwinder(None, TaskUnwinder(), replace=True)
gdb.frame_filters["green-task"] = TaskFilter()
gdb.events.cont.connect(stop_looking)
gdb.events.exited.connect(stop_looking)
gdb.events.exited.connect(forget_core)
gdb.events.new_objfile.connect(forget_core)
InfoTasks()
GreenTask()
GreenTaskApply()
GreenTls()
GreenGcore()
