#!/usr/bin/python3
"""What the commands that look at a process say of one in known states, under load."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

GREEN, LIBRARY, OBSERVED = [os.path.abspath(path) for path in sys.argv[1:4]]
WORKERS = (1, 2, 8)
PATIENCE = 20
ENOUGH_LOOKS = 8


def green(*words, timeout=60):
    return subprocess.run([GREEN, *map(str, words)], capture_output=True, text=True,
                          timeout=timeout)


class Observed:
    """The program, ready; ends with the block."""

    def __init__(self, mode, workers, **settings):
        env = {k: v for k, v in os.environ.items() if not k.startswith("GREEN_")}
        env.update(LD_PRELOAD=LIBRARY, GREEN_WORKERS=str(workers), **settings)
        self.process = subprocess.Popen([OBSERVED, mode], env=env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid

    def __enter__(self):
        self.peer = None
        for line in self.process.stdout:
            if line.startswith("peer "):
                self.peer = line.split()[1]
            if line == "ready\n":
                return self
        raise AssertionError("the program ended")

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def ps(self, *words):
        result = green("ps", self.pid, "--json", *words)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def tasks(self, *words):
        return {task["name"]: task for task in self.ps(*words)["tasks"]}

    def settled(self, condition):
        """The tasks, once the condition holds of them."""
        end = time.monotonic() + PATIENCE
        while True:
            tasks = self.tasks()
            if condition(tasks) or time.monotonic() > end:
                return tasks
            time.sleep(0.02)


def waits(tasks, name, kind):
    return tasks.get(name, {}).get("waits_for") == kind


class PsTest(unittest.TestCase):
    def check_states(self, workers):
        with Observed("busy", workers) as program:
            tasks = program.settled(lambda t: waits(t, "locker", "call") and
                                    waits(t, "waiter", "mutex") and waits(t, "joiner", "join") and
                                    waits(t, "reader", "fd") and waits(t, "poller", "fds") and
                                    waits(t, "sleeper", "sleep"))
            self.assertEqual(tasks["sleeper"]["waits_for"], "sleep")
            self.assertEqual(tasks["sleeper"]["call"], "clock_nanosleep")
            self.assertGreater(tasks["sleeper"]["left_ms"], 900_000)
            self.assertEqual(tasks["waiter"]["waits_for"], "mutex")
            self.assertEqual(tasks["waiter"]["owner"], tasks["holder"]["tid"])
            self.assertEqual(tasks["joiner"]["waits_for"], "join")
            self.assertEqual(tasks["joiner"]["owner"], tasks["sleeper"]["tid"])
            self.assertEqual(tasks["reader"]["waits_for"], "fd")
            self.assertIn(program.peer, tasks["reader"]["text"])
            self.assertEqual(tasks["poller"]["waits_for"], "fds")
            self.assertEqual(tasks["locker"]["state"], "in kernel")
            self.assertEqual(tasks["locker"]["call"], "flock")
            self.assertIn(tasks["spinner"]["state"], ("running", "ready"))
            self.assertEqual(program.ps()["deadlocks"], [])
            before = program.tasks()["player"]["switches"]
            time.sleep(0.2)
            self.assertGreater(program.tasks()["player"]["switches"], before + 10)
            self.assertIsNone(program.process.poll())

    def test_states(self):
        for workers in WORKERS:
            with self.subTest(workers=workers):
                self.check_states(workers)

    LOCKS = {"rd-waits": ("rwlock", r" held by \d+ writer"),
             "wr-waits": ("rwlock", r" held by \d+ writer"),
             "wr-readers": ("rwlock", " held by 2 readers"),
             "wr-first": ("rwlock", " held by 1 reader"),
             "rd-second": ("rwlock", " held by 1 reader"),
             "condition": ("condition", ", 1 waiting"), "semaphore": ("semaphore", ", 1 waiting"),
             "barrier": ("barrier", ", 1 of 3 there"),
             "timed": ("mutex", r" held by \d+ observed(, 9\d\d s left)?")}

    def test_every_kind_of_lock(self):
        for settings in *({"workers": n} for n in WORKERS), {"workers": 2, "GREEN_MODE": "1:1"}:
            with self.subTest(**settings), Observed("locks", **settings) as program:
                tasks = program.settled(lambda t: all(
                    waits(t, name, kind) for name, (kind, _) in self.LOCKS.items()))
                for name, (kind, more) in self.LOCKS.items():
                    self.assertRegex(tasks[name].get("text", ""), rf"\A{kind} 0x[0-9a-f]+{more}\Z")
                self.assertEqual(tasks["rd-waits"]["owner"], tasks["writer"]["tid"])
                self.assertEqual(tasks["rd-waits"]["address"], tasks["wr-waits"]["address"])

    def test_bound_tasks(self):
        with Observed("busy", 2, GREEN_MODE="1:1") as program:
            tasks = program.settled(lambda t: waits(t, "reader", "fd") and
                                    waits(t, "waiter", "mutex") and waits(t, "joiner", "join") and
                                    t.get("spinner", {}).get("state") == "running")
            self.assertEqual(tasks["reader"]["waits_for"], "fd")
            self.assertIn(program.peer, tasks["reader"]["text"])
            self.assertEqual(tasks["waiter"]["owner"], tasks["holder"]["tid"])
            self.assertEqual(tasks["joiner"]["owner"], tasks["sleeper"]["tid"])
            self.assertEqual(tasks["spinner"]["state"], "running")
            stats = json.loads(green("stats", program.pid, "--json").stdout)
            self.assertEqual(stats["spawned"], 10)
            self.assertIn("    read_request\n", green("stacks", program.pid).stdout)

    def test_filters_and_sorts(self):
        with Observed("busy", 2) as program:
            program.settled(lambda t: waits(t, "sleeper", "sleep"))
            self.assertEqual(set(program.tasks("--name", "sl*")), {"sleeper"})
            self.assertEqual(set(program.tasks("--wait", "sleep")), {"sleeper", "holder"})
            self.assertEqual(len(program.ps("--limit", "3")["tasks"]), 3)
            counts = [t["switches"] for t in program.ps("--sort", "switches")["tasks"]]
            self.assertEqual(counts, sorted(counts, reverse=True))
            text = green("ps", program.pid).stdout
            self.assertRegex(text, r"waiter .* mutex 0x[0-9a-f]+ held by \d+ holder\n")

    def test_tells_deadlocks(self):
        for mode, word in (("deadlock", "deadlock:"), ("stuck", "deadlock:")):
            with Observed(mode, 2) as program:
                program.settled(lambda t: waits(t, "one", "mutex") and waits(t, "other", "mutex"))
                lines = [line for line in green("ps", program.pid).stdout.splitlines()
                         if line.startswith(word)]
                self.assertEqual(len(lines), 1)
                self.assertRegex(lines[0], r"\d+ one waits for mutex 0x\w+ held by \d+ other")
                self.assertRegex(lines[0], r"\d+ other waits for mutex 0x\w+ held by \d+ one")


class StacksTest(unittest.TestCase):
    def check(self, workers):
        with Observed("busy", workers) as program:
            program.settled(lambda t: waits(t, "locker", "call") and waits(t, "waiter", "mutex") and
                            waits(t, "reader", "fd") and waits(t, "joiner", "join"))
            expected = {"reader": ["read_request", "reader"], "holder": ["hold_it", "holder"],
                        "waiter": ["waiter"], "locker": ["locker"], "joiner": ["joiner"],
                        "spinner": ["spinner"], "observed": ["main"]}
            found = {}
            for _ in range(40):  # one that runs may have gone on
                result = green("stacks", program.pid, "--json", "--each")
                self.assertEqual(result.returncode, 0, result.stderr)
                for group in json.loads(result.stdout):
                    own = [frame for frame in group["frames"]
                           if frame in sum(expected.values(), [])]
                    found.setdefault(group["tasks"][0]["name"], []).append(own)
                if all(expected[name] in found.get(name, []) for name in expected):
                    break
            for name, frames in expected.items():
                self.assertIn(frames, found[name], name)
            self.assertIsNone(program.process.poll())
            before = program.tasks()["player"]["switches"]
            time.sleep(0.1)
            self.assertGreater(program.tasks()["player"]["switches"], before)

    def test_of_every_task(self):
        for workers in WORKERS:
            with self.subTest(workers=workers):
                self.check(workers)

    def test_of_a_preempted_task(self):
        """Beyond the signal that took its carrier away."""
        with Observed("spinners", 1) as program:
            end, preempted = time.monotonic() + PATIENCE, []
            while not preempted and time.monotonic() < end:
                groups = json.loads(green("stacks", program.pid, "--json", "--each").stdout)
                preempted = [group["frames"] for group in groups if "green::Preempt()" in
                             group["frames"] and group["tasks"][0]["name"] == "spinner"]
        self.assertTrue(preempted)
        for frames in preempted:
            at = frames.index("__restore_rt")
            self.assertEqual(frames[at + 1:at + 3], ["spinner", "start_thread"], frames)

    def test_of_a_stopped_process(self):
        """kill -STOP: what runs there is seen, too, and stays stopped."""
        with Observed("spinners", 2) as program:
            os.kill(program.pid, signal.SIGSTOP)
            with open(f"/proc/{program.pid}/status") as status:
                while "State:\tT" not in status.read():
                    status.seek(0)
            groups = json.loads(green("stacks", program.pid, "--json", "--each").stdout)
            running = [group["frames"] for group in groups if group["state"] == "running"]
            with open(f"/proc/{program.pid}/status") as status:
                self.assertIn("State:\tT", status.read())
        self.assertTrue(any(running), groups)

    def test_like_ones_together_and_one_alone(self):
        with Observed("busy", 2) as program:
            tasks = program.settled(lambda t: waits(t, "waiter", "mutex"))
            waiter = tasks["waiter"]["tid"]
            text = green("stacks", program.pid, waiter).stdout
            self.assertRegex(text, rf"\A1 task, waiting for futex: {waiter} waiter\n")
            self.assertRegex(text, r"\n    waiter\n")
            missing = green("stacks", program.pid, 1)
            self.assertEqual((missing.returncode, missing.stderr),
                             (1, f"green: process {program.pid} has no task 1\n"))


class TopTest(unittest.TestCase):
    def test_pictures(self):
        for workers in WORKERS:
            with self.subTest(workers=workers), Observed("busy", workers) as program:
                program.settled(lambda t: waits(t, "waiter", "mutex"))
                result = green("top", program.pid, "--interval", "0.3", "--count", "2")
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertEqual(result.stdout.count("11 tasks;"), 2)
                self.assertRegex(result.stdout, r"\n +\d+%  read_request \(fd\)\n")
                self.assertRegex(result.stdout, r"\n *\d+  player +\w+")
                self.assertNotIn("\x1b", result.stdout)

    def test_terminals(self):
        with Observed("busy", 2) as program:
            for terminal, moves in (("xterm", True), ("dumb", False), ("", False)):
                shown = subprocess.run(
                    ["script", "-qec", f"{GREEN} top {program.pid} --interval 0.1 --count 2",
                     "/dev/null"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                    timeout=60, env={**os.environ, "TERM": terminal}).stdout
                self.assertIn("11 tasks;", shown)
                self.assertEqual("\x1b" in shown, moves, shown)

    def test_a_small_terminal(self):
        with Observed("busy", 2) as program:
            for rows, columns in ((24, 80), (6, 30)):
                top = f"stty rows {rows} cols {columns}; {GREEN} top {program.pid} --count 2"
                leader, follower = pty.openpty()
                shown = subprocess.Popen(["sh", "-c", top + " --interval 0.1"], stdin=follower,
                                         stdout=follower, env={**os.environ, "TERM": "xterm"})
                os.close(follower)
                text = b""
                try:
                    while part := os.read(leader, 65536):
                        text += part
                except OSError:  # EIO: it has ended
                    pass
                os.close(leader)
                self.assertEqual(shown.wait(timeout=PATIENCE), 0)
                pictures = text.decode().replace("\r", "").split("\x1b[H\x1b[2J")[1:]
                self.assertEqual(len(pictures), 2, text)
                for picture in pictures:
                    self.assertLess(picture.count("\n"), rows)
                    self.assertLessEqual(max(map(len, picture.split("\n"))), columns)

    def test_ends_with_the_program(self):
        with Observed("busy", 2) as program:
            top = subprocess.Popen([GREEN, "top", str(program.pid), "--interval", "0.1"],
                                   stdout=subprocess.PIPE)
            self.assertTrue(top.stdout.readline())  # it looks
            self.assertIsNone(top.poll())
        top.communicate(timeout=PATIENCE)
        self.assertEqual(top.returncode, 0)


class ProfileTest(unittest.TestCase):
    def folded(self, program, *options):
        # Where it gets no CPU it looks less often, and says so: a few looks show nothing.
        for _ in range(PATIENCE):
            result = green("profile", "--seconds", "2", *options, program.pid)
            self.assertEqual(result.returncode, 0, result.stderr)
            if int(re.match(r"green: (\d+) looks", result.stderr)[1]) >= ENOUGH_LOOKS:
                break
        stacks = {}
        for line in result.stdout.splitlines():
            path, _, weight = line.rpartition(" ")
            stacks[tuple(path.split(";"))] = int(weight)
        self.assertTrue(stacks, result.stderr)
        return stacks

    def test_on_cpu(self):
        for workers in WORKERS:
            with self.subTest(workers=workers), Observed("busy", workers) as program:
                stacks = self.folded(program)
                spinning = sum(us for path, us in stacks.items()
                               if path[0] == "spinner" and path[-1] == "spinner")
                # Of what was seen: a busy machine may let the program run for little of the time.
                self.assertGreater(spinning, sum(stacks.values()) / 10)
                self.assertFalse([p for p in stacks if p[0] in ("sleeper", "reader", "locker")])

    def test_off_cpu(self):
        for workers in WORKERS:
            with self.subTest(workers=workers), Observed("busy", workers) as program:
                program.settled(lambda t: waits(t, "reader", "fd") and waits(t, "locker", "call"))
                stacks = self.folded(program, "--off-cpu", "--hz", "20")
                waited = {
                    name: sum(us for path, us in stacks.items()
                              if path[0] == name and function in path and path[-1] == leaf)
                    for name, function, leaf in (("reader", "read_request", "[fd]"),
                                                 ("holder", "hold_it", "[sleep]"),
                                                 ("waiter", "waiter", "[futex]"),
                                                 ("locker", "locker", "[kernel]"))}
                # All four wait all the time, so each for as long as was looked.
                looked = max(waited.values())
                self.assertGreater(looked, 1_000_000)
                self.assertLess(looked, 10_000_000)
                for name, us in waited.items():
                    self.assertGreater(us, looked / 2, name)

    def test_flamegraph_and_pprof(self):
        home = os.environ.get("TEST_TMPDIR", "/tmp")
        with Observed("busy", 2) as program:
            page = os.path.join(home, "profile.html")
            self.assertEqual(green("profile", "--seconds", "0.5", "--wall", "-o", page,
                                   program.pid).returncode, 0)
            self.assertEqual(os.stat(page).st_mode & 0o777, 0o600)
            with open(page) as file:
                text = file.read()
            data = re.search(r"^const root = (.*);$", text, re.MULTILINE)[1]

            def check(node):
                self.assertGreaterEqual(node[1] + len(node), sum(c[1] for c in node[2:]))
                return {node[0]}.union(*map(check, node[2:]))

            self.assertLessEqual({"all", "reader", "read_request"}, check(json.loads(data)))
            self.assertNotIn("src=", text)  # self-contained
            path = os.path.join(home, "profile.pb")
            self.assertEqual(green("profile", "--seconds", "0.5", "--wall", "-o", path,
                                   program.pid).returncode, 0)
            with open(path, "rb") as file:
                fields = list(proto_fields(file.read()))
            names = [value for number, value in fields if number == 6]
            self.assertEqual(names[0], b"")
            self.assertIn(b"read_request", names)
            functions = {dict(proto_fields(v))[1] for n, v in fields if n == 5}
            locations = {dict(proto_fields(v))[1] for n, v in fields if n == 4}
            self.assertEqual(functions, locations)
            mapping, = [dict(proto_fields(v)) for n, v in fields if n == 3]
            self.assertEqual(names[mapping[5]], b"observed")
            self.assertEqual({dict(proto_fields(v))[2] for n, v in fields if n == 4}, {mapping[1]})
            total = 0
            for sample in (dict(proto_fields(v)) for n, v in fields if n == 2):
                self.assertLessEqual(set(varints(sample[1])), locations)
                value, = varints(sample[2])
                total += value
            # Eleven threads, each of which waits or runs all the time: nanoseconds.
            duration = dict(fields)[10]
            self.assertGreater(duration, 400_000_000)
            self.assertLess(total, 16 * duration)
            self.assertGreater(total, 2 * duration)


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def varints(data):
    at, values = 0, []
    while at < len(data):
        value, at = varint(data, at)
        values.append(value)
    return values


def proto_fields(data):
    """(field number, value) of each field of a protocol buffer message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        yield key >> 3, value


class StatsTest(unittest.TestCase):
    def test_counters_and_forms(self):
        for workers in WORKERS:
            with self.subTest(workers=workers), Observed("busy", workers) as program:
                program.settled(lambda t: t.get("player", {}).get("switches", 0) > 2000)
                stats = json.loads(green("stats", program.pid, "--json").stdout)
                self.assertEqual(stats["spawned"], 10)
                self.assertEqual(stats["tasks"]["alive"], 11)
                self.assertEqual(len(stats["workers"]), workers)
                self.assertGreaterEqual(stats["handoffs"], 1)
                end = time.monotonic() + PATIENCE
                again = stats
                while again["switches"] <= stats["switches"] and time.monotonic() < end:
                    again = json.loads(green("stats", program.pid, "--json").stdout)
                self.assertGreater(again["switches"], stats["switches"])
                self.assertGreater(sum(n for _, n in again["run_queue_delay_us"]), 0)
                self.assertIn("11 alive", green("stats", program.pid).stdout)

    def check_exposition(self, text):
        """The line grammar of Prometheus' text format, and a histogram's rules."""
        kinds, counts = {}, []
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                kinds[name] = kind
                continue
            if line.startswith("# HELP "):
                continue
            sample = re.fullmatch(r'([a-z_]+)(\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})? ([0-9.e+-]+)', line)
            self.assertTrue(sample, line)
            base = re.sub(r"_(bucket|sum|count)$", "", sample[1])
            self.assertTrue(sample[1] in kinds or kinds.get(base) == "histogram", line)
            if sample[1].endswith("_bucket"):
                counts.append(int(sample[3]))
        self.assertEqual(counts, sorted(counts))
        self.assertIn("green_spawned_total", kinds)
        self.assertEqual(len(re.findall(r"^[^#]\S*", text, re.MULTILINE)),
                         len(set(re.findall(r"^[^#].*(?= )", text, re.MULTILINE))))

    def test_serves_prometheus(self):
        with Observed("busy", 2) as program:
            self.check_exposition(green("stats", program.pid, "--prometheus").stdout)
            server = subprocess.Popen([GREEN, "stats", str(program.pid), "--listen",
                                       "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
            try:
                url = server.stdout.readline().strip()
                with urllib.request.urlopen(url, timeout=PATIENCE) as page:
                    self.assertTrue(page.headers["Content-Type"].startswith("text/plain"))
                    self.check_exposition(page.read().decode())
                # Nothing listens in the program itself.
                listening = subprocess.run(["ss", "-Hltnpx"], capture_output=True, text=True).stdout
                self.assertNotIn(f"pid={program.pid},", listening)
            finally:
                server.kill()
                server.communicate()

    def test_serves_on_a_socket_of_the_users_alone(self):
        # Not in TEST_TMPDIR: a socket's path has 107 characters at most.
        with tempfile.TemporaryDirectory(dir="/tmp") as home, Observed("busy", 2) as program:
            path = os.path.join(home, "s")
            server = subprocess.Popen([GREEN, "stats", str(program.pid), "--listen", path],
                                      stdout=subprocess.PIPE, text=True)
            try:
                self.assertEqual(server.stdout.readline().strip(), path)
                self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(path)
                    client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    text = b"".join(iter(lambda: client.recv(65536), b"")).decode()
                self.check_exposition(text.split("\r\n\r\n", 1)[1])
            finally:
                server.kill()
                server.communicate()


class RefusalTest(unittest.TestCase):
    COMMANDS = ("ps", "stats", "stacks", "top", "profile", "trace")

    def assert_one_line(self, why, *words):
        for command in self.COMMANDS:
            result = green(command, *words)
            self.assertEqual(result.returncode, 1, command)
            self.assertEqual(result.stdout, "")
            self.assertRegex(result.stderr, rf"\Agreen: [^\n]*{why}[^\n]*\n\Z")

    def test_no_such_process(self):
        self.assert_one_line("no process", 2 ** 22 - 1)

    def test_ended_but_not_waited_for(self):
        process = subprocess.Popen(["true"])
        time.sleep(0.3)
        self.assert_one_line("has ended", process.pid)
        process.wait()

    def test_not_under_libgreen(self):
        self.assert_one_line("does not run under libgreen", os.getpid())

    def test_no_thread_yet(self):
        process = subprocess.Popen(["sleep", "60"], env={**os.environ, "LD_PRELOAD": LIBRARY})
        try:
            time.sleep(0.3)
            self.assert_one_line("no thread", process.pid)
        finally:
            process.kill()
            process.wait()

    def test_nowhere_to_write(self):
        with Observed("busy", 1) as program, open("/dev/full", "w") as full:
            for words in (["ps"], ["stacks"], ["stats", "--json"], ["profile", "--seconds=0.2"],
                          ["top", "--count=1"]):
                for to in full, None:
                    result = subprocess.run(
                        [GREEN, *words, str(program.pid)], stdout=to, stderr=subprocess.PIPE,
                        text=True, timeout=30, preexec_fn=None if to else lambda: os.close(1))
                    self.assertEqual(result.returncode, 1, (words, to))
                    self.assertIn("green: can't write to standard output: ", result.stderr)

    def test_reader_has_gone(self):
        """As of any command in a pipe: it ends by SIGPIPE, and says nothing."""
        with Observed("busy", 1) as program:
            for words in (["ps"], ["stacks"], ["stats"], ["profile", "--seconds=0.2"],
                          ["top", "--batch", "--count=1"]):
                ours, its = os.pipe()
                os.close(ours)
                result = subprocess.run([GREEN, *words, str(program.pid)], stdout=its,
                                        stderr=subprocess.PIPE, text=True, timeout=30)
                os.close(its)
                said = "" if words[0] != "profile" else r"green: \d+ looks .*\n"
                self.assertEqual(result.returncode, -signal.SIGPIPE, words)
                self.assertRegex(result.stderr, rf"\A{said}\Z")

    def test_program_that_shows_nothing(self):
        with tempfile.TemporaryDirectory() as home:
            for command in "profile", "trace":
                for program, status, why in (("no-such", 127, "not found"),
                                             ("true", 1, "created"), ("false", 1, "created")):
                    path = os.path.join(home, "out")
                    result = green(command, "-o", path, "--", program)
                    self.assertEqual((result.returncode, result.stdout), (status, ""))
                    self.assertRegex(result.stderr, rf"\A(green|libgreen): [^\n]*{why}[^\n]*\n\Z")
                    self.assertFalse(os.path.exists(path))

    @unittest.skipUnless(os.getuid() == 0, "only root can become another user")
    def test_another_users_process(self):
        with Observed("busy", 1) as program:
            result = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", GREEN, "ps",
                                     str(program.pid)], capture_output=True, text=True, timeout=30)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertIn("not allowed", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
