"""Rows about trees of cached files: our own loops, and programs of Debian's."""

import resource
import time

from context import RunFailed
from row import Row, faster

FILES, ROUNDS = 100_000, 4


def _loop(operation, threads):
    def run(context, variant):
        return context.numbers(variant, [context.program("stat_tree"), operation, threads, FILES,
                                         ROUNDS, context.small_files(FILES)], jail=threads > 100)

    return run


def _tree(context):
    """Small files of text in directories of a hundred, under git."""
    top = context.memory() / "tree"
    if top.exists():
        return top
    for number in range(FILES):
        if number % 100 == 0:
            folder = top / f"d{number // 10000}" / f"d{number // 100}"
            folder.mkdir(parents=True)
        (folder / f"file{number}").write_text(f"line {number}\n" * 8)
    git = ["git", "-C", str(top), "-c", "gc.auto=0"]
    for command in (["init", "-q"], ["add", "-A"]):
        context.output(git + command, timeout=300)
    return top


def _program(*argv):
    """argv with {tree} and {out} filled in; what it prints must not depend on the variant."""
    def run(context, variant):
        tree = _tree(context)
        out = context.directory / "out"
        filled = [a.format(tree=tree, out=out) for a in argv]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        text = context.output(context.command(variant, filled), timeout=300)
        wall = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        lines = text.count("\n")
        if context.cached.setdefault(argv, lines) != lines:
            raise RunFailed(f"{argv[0]}: {lines} lines, {context.cached[argv]} before")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"wall_s": wall, "cpu_s": cpu}

    return run


def _loop_row(name, title, operation, threads):
    return Row(name, title, _loop(operation, threads), ("wall_ns", "cpu_ns"),
               (faster("wall_ns", 0.99),))


def _program_row(name, title, packages, *argv):
    return Row(name, title, _program(*argv), ("wall_s", "cpu_s"), (faster("wall_s", 0.99),),
               packages=packages, runs=3)


ROWS = [
    _loop_row("stat", "stat() over a tree of 100,000 cached files, one thread", "stat", 1),
    _loop_row("stat-1000", "the same by 1,000 threads", "stat", 1000),
    _loop_row("open", "open, read, close of each of them, one thread", "open", 1),
    _loop_row("open-1000", "the same by 1,000 threads", "open", 1000),
    _loop_row("list", "readdir over their directories, per file, one thread", "list", 1),
    _loop_row("list-1000", "the same by 1,000 threads", "list", 1000),
    _program_row("find", "find over 100,000 files, looking at each", ("findutils",),
                 "find", "{tree}", "-size", "+1000k"),
    _program_row("updatedb", "updatedb over 100,000 files", ("plocate",),
                 "updatedb", "-U", "{tree}", "-o", "{out}", "-l", "no", "--prunepaths", "",
                 "--prunefs", ""),
    _program_row("git-grep", "git grep in 100,000 files by four threads", ("git",),
                 "git", "-C", "{tree}", "grep", "--threads", "4", "-c", "line 777"),
]
