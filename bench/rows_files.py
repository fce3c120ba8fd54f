"""Rows about files, and about threads that only compute."""

import filecmp
import resource
import time

from context import RunFailed
from row import Row, compared, faster

MEBIBYTES = 48


def _reads(context, variant):
    return context.numbers(variant, [context.program("file_read")])


def _disk(context, variant):
    return context.numbers(variant, [context.program("stuck"), "disk"], cpu=0)


def _input(context):
    """Words in an order that compresses about as well as text does."""
    path = context.directory / "input"
    if not path.exists():
        seed, words = 1, [b"%x " % (n * n * 2654435761) for n in range(4096)]
        out = bytearray()
        while len(out) < MEBIBYTES << 20:
            seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
            out += words[(seed >> 40) & (seed >> 52)]
        path.write_bytes(out)
    return path


def compress(there, back):
    def run(context, variant):
        source = _input(context)
        packed, unpacked = context.directory / "packed", context.directory / "unpacked"
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        with open(packed, "wb") as out:
            process = context.start(context.command(variant, [*there, source]), stdout=out)
            try:
                status = process.wait(120)
            finally:
                context.end(process, gently=0)
        wall = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(unpacked, "wb") as out:
            process = context.start([*back, str(packed)], stdout=out)
            try:
                status = status or process.wait(120)
            finally:
                context.end(process, gently=0)
        if status or not filecmp.cmp(source, unpacked, shallow=False):
            raise RunFailed(f"{there[0]}: status {status}, or other bytes came back")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"wall_s": wall, "cpu_s": cpu}

    return run


SPEED = ("wall_s", "cpu_s")

ROWS = [
    Row("read", "pread from the page cache, 4 KiB and 64 KiB", _reads,
        ("read4k_ns", "read64k_ns", "read4k_cpu_ns", "read64k_cpu_ns"),
        (faster("read4k_ns", 0.98), faster("read64k_ns", 0.98))),
    Row("read-disk", "a thread reads from disk, one CPU: the longest gap of a 100 us ticker",
        _disk, ("gap_median_us", "gap_p90_us", "gap_max_us"),
        (compared("gap_median_us", "<=", 1),)),
    Row("xz", "xz -T2 of 48 MiB, checked", compress(["xz", "-T2", "-2", "--block-size=4MiB", "-c"],
                                                    ["xz", "-dc"]),
        SPEED, (faster("wall_s", 0.99),), packages=("xz-utils",), runs=3),
    Row("pigz", "pigz -p8 of 48 MiB, checked", compress(["pigz", "-p8", "-c"], ["pigz", "-dc"]),
        SPEED, (faster("wall_s", 0.99),), packages=("pigz",), runs=3),
]
