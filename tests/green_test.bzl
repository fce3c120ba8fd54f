"""Behaviour tests: an ordinary program, run natively and then under libgreen."""

# A parameter below is called native.
_cc_binary = native.cc_binary
_sh_test = native.sh_test

# Never "long": a tag filter looks at timeouts too, and -long would leave such a test out.
def _bazel_timeout(seconds):
    for name, limit in [("short", 60), ("moderate", 300)]:
        if seconds <= limit:
            return name
    return "eternal"

def _quote(text):
    return "'" + text.replace("'", "'\\''") + "'"

def green_program_test(
        name,
        srcs,
        args = [],
        copts = [],
        linkopts = ["-pthread"],
        deps = [],
        data = [],
        workers = [1, 2, 8],
        modes = ["mn", "1:1"],
        timeout_s = 30,
        repeat = 1,
        env = {},
        native = True,
        compare_stdout = True,
        expect_start = True,
        expect_status = 0,
        tags = [],
        **kwargs):
    """Builds srcs as plain C or C++ and compares its runs under libgreen.

    Args:
      name: of the test; the program is called <name>_program.
      srcs: C or C++ files that know nothing of libgreen.
      args: of the program.
      copts: added to -O2 -Wall -pthread.
      linkopts: of the program.
      deps: of the program.
      data: files the program reads, below $TEST_SRCDIR/libgreen.
      workers: values of GREEN_WORKERS to run with.
      modes: values of GREEN_MODE to run with; 1:1 with the last of workers only.
      timeout_s: limit of each single run.
      repeat: how often each configuration is run.
      env: added to the environment of every run.
      native: whether the program also runs without libgreen, as the reference.
      compare_stdout: whether stdout must equal that of the native run.
      expect_start: True: libgreen must have started; False: it must not have;
        None: either is fine.
      expect_status: exit status, or -N for death by signal N.
      tags: "long" keeps the test out of the everyday suite.
      **kwargs: passed to the test rule.
    """
    program = name + "_program"
    _cc_binary(
        name = program,
        testonly = True,
        srcs = srcs,
        copts = ["-O2", "-pthread", "-Wno-unused-parameter"] + copts,
        linkopts = linkopts,
        deps = deps,
    )

    flags = [
        "--lib=$(rootpath //:libgreen.so)",
        "--workers=" + ",".join([str(w) for w in workers]),
        "--modes=" + ",".join(modes),
        "--timeout=%d" % timeout_s,
        "--repeat=%d" % repeat,
        "--expect-status=%d" % expect_status,
        "--expect-start=" + {True: "yes", False: "no", None: "any"}[expect_start],
    ]
    if not native:
        flags.append("--no-native")
    if not compare_stdout:
        flags.append("--no-compare-stdout")
    flags += [_quote("--env=%s=%s" % item) for item in env.items()]

    runs = (1 if native else 0) + len(workers) * len(modes) * repeat
    _sh_test(
        name = name,
        srcs = ["//tests:run_program.py"],
        args = flags + ["--", "$(rootpath :%s)" % program] + [_quote(a) for a in args],
        data = data + [
            ":" + program,
            "//:libgreen.so",
        ],
        tags = tags + ["program"],
        timeout = _bazel_timeout(runs * timeout_s),
        **kwargs
    )
