"""Rows about threads, locks, waiting and memory."""

from row import Row, Target, absolute, compared, faster


def spawn(*options, count=100000):
    mode = "join" if options else "spawn"

    def run(context, variant):
        def once(cpu):
            if variant == "go":
                return context.numbers(variant, [context.go_program(), mode, count], cpu)
            argv = [context.program("spawn100k"), *options, count]
            return context.numbers(variant, argv, cpu, jail=True)

        free, pinned = once(None), once(0)
        return {"cpu_us": free["cpu_us"], "wall_us": free["wall_us"],
                "pinned_cpu_us": pinned["cpu_us"]}

    return run


def pingpong(mode, rounds):
    """Pinned to one CPU first, which is kind to native: its threads then hand
    over without waking another CPU."""

    def run(context, variant):
        def once(cpu, rounds):
            program = [context.go_program()] if variant == "go" else [context.program("pingpong")]
            return context.numbers(variant, [*program, mode, rounds], cpu)

        pinned, free = once(0, rounds), once(None, rounds // 4)
        return {"wall_ns": pinned["wall_ns"], "cpu_ns": pinned["cpu_ns"],
                "free_wall_ns": free["wall_ns"], "free_cpu_ns": free["cpu_ns"]}

    return run


def _yield(context, variant):
    """Half a round trip is one yield, which is one switch."""
    both = pingpong("yield", 400000)(context, variant)
    return {"switch_ns": both["wall_ns"] / 2, **both}


def _plain(program, *arguments, cpu=None, jail=False, timeout=120):
    def run(context, variant):
        return context.numbers(variant, [context.program(program), *arguments], cpu, jail, timeout)

    return run


def _sleeper(context, variant):
    hogs = 4 * len(context.cpus)
    return context.numbers(variant, [context.program("sleeper"), hogs, 3])


def _startup(context, variant):
    argv = [context.program("startup"), 200]
    if variant == "native":
        return {"us": context.numbers("native", [*argv, "/bin/true"], 0)["native_us"]}
    got = context.numbers("native", [*argv, "--preload", context.library, "/bin/true"], 0)
    return {"us": got["preloaded_us"], "native_beside_us": got["native_us"]}


def _startup_ratio(median):
    with_it, without = median("libgreen", "us"), median("libgreen", "native_beside_us")
    return with_it / without if with_it and without else None


def _of_a_million(metric, bound):
    """A bound on what a million threads cost says nothing about fewer."""
    def value(median):
        whole = (median("libgreen", "alive") or 0) >= 1000000
        return median("libgreen", metric) if whole else None

    return Target(f"{metric} <= {bound:g}, of a million", value, "<=", bound)


GO = ("native", "libgreen", "go")
PINGPONG = ("wall_ns", "cpu_ns", "free_wall_ns", "free_cpu_ns")

ROWS = [
    Row("spawn", "100,000 detached pthread_create, then pthread_exit: per thread",
        spawn(), ("cpu_us", "pinned_cpu_us", "wall_us"),
        (absolute("cpu_us", "<=", 0.6), faster("cpu_us", 40), faster("pinned_cpu_us", 50),
         compared("cpu_us", "<=", 1, to="go")), GO),
    Row("join", "pthread_create and pthread_join, one after the other: per thread",
        spawn("--join"), ("cpu_us", "pinned_cpu_us", "wall_us"),
        (absolute("cpu_us", "<=", 0.35),), GO),
    Row("cond", "mutex and condition round trip between two threads, on one CPU and free",
        pingpong("cond", 200000), PINGPONG,
        (absolute("wall_ns", "<=", 150), faster("wall_ns", 25)), GO),
    Row("sem", "sem_t round trip between two threads, on one CPU and free",
        pingpong("sem", 200000), PINGPONG,
        (absolute("wall_ns", "<=", 120), faster("wall_ns", 20)), GO),
    Row("yield", "sched_yield between two threads: one switch, and the round trip", _yield,
        ("switch_ns", *PINGPONG), (absolute("switch_ns", "<=", 40),), GO),
    Row("pipe", "one byte through a pipe and one back", pingpong("pipe", 100000), PINGPONG,
        (faster("wall_ns", 2),)),
    Row("socketpair", "one byte through a socketpair and back", pingpong("socketpair", 100000),
        PINGPONG, (faster("wall_ns", 2),)),
    Row("mutex", "pthread mutex: lock and unlock, alone and contended by four threads",
        _plain("mutex"), ("alone_ns", "contended_ns", "contended_cpu_ns"),
        (compared("alone_ns", "<=", 1.05), compared("contended_ns", "<=", 1.2))),
    Row("alive", "threads alive at once on 64 KiB stacks: how many, bytes and time each",
        _plain("alive", 1000000, jail=True, timeout=300),
        ("alive", "create_s", "end_s", "user_bytes", "kernel_stack_bytes"),
        (absolute("alive", ">=", 1000000), _of_a_million("user_bytes", 8700),
         _of_a_million("create_s", 6)), higher_is_better=True, runs=1),
    Row("startup", "start and end of /bin/true", _startup, ("us", "native_beside_us"),
        (Target("us <= 1.05x without it, in turn", _startup_ratio, "<=", 1.05),), runs=7),
    Row("first_create", "the first pthread_create and join of a process",
        _plain("first_create"), ("first_us", "later_us"), (absolute("first_us", "<=", 3000),),
        runs=15),
    Row("sleeper", "a 5 ms sleeper beside 4 CPU hogs per CPU: lateness", _sleeper,
        ("late_avg_us", "late_p99_us", "late_max_us"),
        (compared("late_avg_us", "<=", 1), compared("late_max_us", "<=", 1))),
    Row("stuck", "a thread stuck in flock, one CPU: the longest gap of a 100 us ticker",
        _plain("stuck", "flock", cpu=0), ("gap_median_us", "gap_p90_us", "gap_max_us"),
        (absolute("gap_median_us", "<=", 1000),)),
    Row("stuck-mapped", "the same, stuck in page faults of a mapped file",
        _plain("stuck", "mapped", cpu=0), ("gap_median_us", "gap_p90_us", "gap_max_us"),
        (absolute("gap_median_us", "<=", 1000),)),
    Row("stuck-fault", "the same, stuck in a page that comes 20 ms late (userfaultfd)",
        _plain("stuck", "fault", 200, cpu=0),
        ("gap_median_us", "gap_p90_us", "gap_p99_us", "gap_max_us"),
        (absolute("gap_median_us", "<=", 1000), absolute("gap_max_us", "<=", 10000))),
]
