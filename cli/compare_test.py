#!/usr/bin/python3
"""`green compare`, with a real server and loads that print what the tools print."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree

from green_command import GreenTest, environment

GREEN, LIBRARY, STATIC, DYNAMIC, SERVER = [os.path.abspath(path) for path in sys.argv[1:6]]
GreenTest.GREEN = GREEN

# Echoes for a while on some connections, and prints the rate as wrk does.
LOAD = """#!/usr/bin/python3
import socket, sys, time
peers = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(4)]
count, end = 0, time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    for peer in peers:
        peer.sendall(b"x")
        assert peer.recv(1) == b"x"
        count += 1
print("Requests/sec:", count / float(sys.argv[2]))
print("  %d requests in %ss, 1KB read" % (count, sys.argv[2]))
"""
# What the tools print, shortened; the title, throughput and a percentile in the report.
TOOLS = {
    "ab": ("Requests per second:    1780.36 [#/sec] (mean)\nFailed requests:        0\n"
           "Complete requests:      200\n  50%      1\n  99%     26\n", "requests/s", 1780.36, ("p99_ms", 26)),
    "memtier": ("Type       Ops/sec     Hits/sec     p50 Latency     p99 Latency       KB/sec\n"
                "Totals     132246.93   0.00         1.43900         3.79100           5608.08\n",
                "operations/s", 132246.93, ("p99_ms", 3.791)),
    "sysbench": ("sysbench 1.0.20\n    queries:                    16000  (1587.41 per sec.)\n"
                 "         95th percentile:                       16.71\n", "queries/s", 1587.41,
                 ("p95_ms", 16.71)),
}
QUICK = ("--runs", "1", "--warmup", "0")


def is_running(name):
    return subprocess.run(["pgrep", "-f", name], stdout=subprocess.DEVNULL,
                          check=False).returncode == 0


class ServerTest(GreenTest):
    def load(self, seconds=0.3):
        return self.script("load", LOAD) + " {port} " + str(seconds)

    def test_table(self):
        result = self.green("compare", "--runs", "2", "--warmup", "0.1", "--load", self.load(), "--",
                            SERVER)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        lines = result.stdout.splitlines()
        self.assertRegex(lines[0], r"native .*M:N +ratio")
        heads = [line.split("  ")[0] for line in lines]
        for metric in ("requests/s", "CPU us/request", "RSS MiB", "OS threads", "switches/request"):
            self.assertIn(metric, heads)
        self.assertNotIn("\033", result.stdout)

    def test_json_has_what_was_measured(self):
        result = self.green("compare", *QUICK, "--load", self.load(1), "--json", "--", SERVER)
        self.assertEqual(result.returncode, 0, result.stderr)
        found = json.loads(result.stdout)
        modes = {mode["mode"]: mode["runs"][0] for mode in found["modes"]}
        self.assertIn("M:N", modes)
        self.assertEqual(modes["native"]["os_threads"], 5)  # main and one per connection
        for figures in modes.values():
            self.assertGreater(figures["rate"], 10)
            self.assertGreater(figures["cpu_us"], 0)
            self.assertGreater(figures["rss_mib"], 0.5)
        # Each request of the native server's wakes a thread.
        self.assertGreater(modes["native"]["switches"], 0.5)
        self.assertEqual({*modes, *found["unavailable"]}, {"native", "1:1", "M:N"})

    def test_html_is_one_well_formed_file(self):
        report = self.path("report.html")
        result = self.green("compare", *QUICK, "--load", self.load(), "--html", report, "--", SERVER)
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(report, encoding="utf-8") as file:
            page = file.read()
        # Void elements apart, it is XML too: every element is closed.
        page = page.replace("<!DOCTYPE html>", "").replace("<br>", "")
        for void in ("<meta charset=\"utf-8\">", "<meta name=\"viewport\" content=\"width=device-width\">"):
            page = page.replace(void, "")
        tree = xml.etree.ElementTree.fromstring(page)
        self.assertGreater(len(list(tree.iter("circle"))), 5)
        self.assertFalse([e for e in tree.iter() if "src" in e.attrib or "href" in e.attrib])

    def test_tools_in_reports(self):
        for tool, (output, title, rate, (percentile, milliseconds)) in TOOLS.items():
            said, report = self.path("said"), self.path("report.html")
            with open(said, "w", encoding="utf-8") as file:
                file.write(output)
            words = ("compare", *QUICK, "--load", f"cat {said}", "--html", report)
            result = self.green(*words, "--json", "--", SERVER)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            found = json.loads(result.stdout)
            self.assertEqual((found["tool"], found["metrics"][0]["title"]), (tool, title))
            for mode in found["modes"]:
                self.assertEqual(mode["runs"][0]["rate"], rate)
                self.assertEqual(mode["runs"][0][percentile], milliseconds)
            with open(report, encoding="utf-8") as file:
                self.assertIn(f"<h2>{title} ", file.read())

    def test_an_empty_argument_is_seen(self):
        report = self.path("report.html")
        result = self.green("compare", *QUICK, "--html", report, "--", "/usr/bin/env", "true", "", "a b")
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(report, encoding="utf-8") as file:
            self.assertIn("<code>/usr/bin/env true '' 'a b'</code>", file.read())

    def test_metric_and_settings(self):
        result = self.green("compare", *QUICK, "--workers", "1", "--metric", "speed=([0-9]+)",
                            "--unit", "km/h", "--load", "echo speed=1 speed=7", "--json", "--",
                            SERVER)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["metrics"][0]["title"], "km/h")
        self.assertEqual(json.loads(result.stdout)["modes"][0]["runs"][0]["rate"], 7)

    def test_waits_until_ready_succeeds(self):
        mark = self.path("mark")
        server = self.script("late", f"#!/bin/sh\nsleep 0.3; touch {mark}\nexec sleep 60\n")
        result = self.green("compare", *QUICK, "--ready", f"test -e {mark}", "--load",
                            f"rm {mark} && echo speed=1", "--metric", "speed=(.*)", "--", server)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_a_daemon_is_measured_and_ended(self):
        server = self.script("daemon", f"#!/bin/sh\nsetsid {SERVER} </dev/null & exit 0\n")
        result = self.green("compare", *QUICK, "--load", self.load(1), "--json", "--", server)
        self.assertEqual(result.returncode, 0, result.stderr)
        figures = json.loads(result.stdout)["modes"][0]["runs"][0]
        self.assertEqual(figures["os_threads"], 5)
        self.assertFalse(is_running(self.home))

    def test_a_server_that_ignores_sigterm_is_ended_and_named(self):
        server = self.script("deaf", f"#!/bin/sh\ntrap '' TERM\n{SERVER} & wait; sleep 77\n")
        result = self.green("compare", *QUICK, "--grace", "0.3", "--load", self.load(), "--", server)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("note: native: the server did not end on SIGTERM", result.stdout)
        self.assertFalse(is_running(self.home))

    def test_a_server_that_dies(self):
        self.assert_one_line(
            self.green("compare", "--load", "true", "--", "sh", "-c", "echo why >&2; exit 3"), 1,
            "native: the server ended before it was ready, status 3; it said: why")
        group = self.path("group")
        server = self.script("dies", f"#!/bin/sh\necho $$ > {group}; {SERVER} & wait\n")
        kill = f"kill -s KILL -- -$(cat {group}) && sleep 600"
        result = self.green("compare", *QUICK, "--load", kill, "--", server)
        self.assert_one_line(result, 1, "during the load", "signal 9")

    def test_a_server_that_never_gets_ready(self):
        never = ("--patience", "0.3", "--load", "true")
        self.assert_one_line(self.green("compare", *never, "--", "sleep", "60"), 1,
                             "not ready in 0.300 s: it listens on no socket")
        self.assert_one_line(self.green("compare", *never, "--port", "1", "--", "sleep", "60"), 1,
                             "no connection to port 1")
        self.assert_one_line(self.green("compare", *never, "--ready", "false", "--", "sleep", "60"),
                             1, "--ready never succeeded")

    def test_a_load_that_fails_or_says_nothing(self):
        for load, why in (("echo bad; exit 4", "the load failed, status 4; it said: bad"),
                          ("kill -9 $$", "the load failed, signal 9"),
                          ("no-such-load", "status 127"),
                          ("echo hello", "no throughput in the load's output")):
            self.assert_one_line(self.green("compare", *QUICK, "--load", load, "--", SERVER), 1, why)
        result = self.green("compare", *QUICK, "--timeout", "0.2", "--load", "sleep 600", "--", SERVER)
        self.assert_one_line(result, 1, "did not end in 0.200 s")
        result = self.green("compare", *QUICK, "--metric", "x=(.*)", "--load", "echo x=y", "--", SERVER)
        self.assert_one_line(result, 1, "--metric found no number")

    def test_a_port_that_is_taken(self):
        with subprocess.Popen([SERVER], stdout=subprocess.PIPE, text=True) as other:
            port = other.stdout.readline().split()[1]
            result = self.green("compare", "--port", port, "--load", "true", "--", SERVER)
            other.terminate()
        self.assert_one_line(result, 1, f"port {port} is taken")

    def test_signals_end_everything(self):
        server = self.script("serve", f"#!/bin/sh\n{SERVER} & wait\n")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            mark = self.path("started")
            command = [GREEN, "compare", *QUICK, "--load", f"touch {mark}; sleep 100", "--", server]
            process = subprocess.Popen(command, env=environment({}), stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            while not os.path.exists(mark):
                time.sleep(0.02)
            os.remove(mark)
            process.send_signal(number)
            process.communicate(timeout=20)
            self.assertEqual(process.returncode, 128 + number)
            self.assertFalse(is_running(self.home))


class ProgramTest(GreenTest):
    """Without --load."""

    def test_time_of_a_program(self):
        result = self.green("compare", "--runs", "2", "--json", "--", DYNAMIC)
        self.assertEqual(result.returncode, 0, result.stderr)
        found = json.loads(result.stdout)
        self.assertEqual(found["metrics"][0]["key"], "time_s")
        self.assertEqual([len(mode["runs"]) for mode in found["modes"]], [2] * len(found["modes"]))
        self.assertIn("did not say that it started", " ".join(found["notes"]))

    def test_runs_in_the_modes_it_names(self):
        log = self.path("log")
        script = self.script("say", f"#!/bin/sh\necho $GREEN_MODE $LD_PRELOAD >> {log}\n")
        self.assertEqual(self.green("compare", *QUICK, "--", script).returncode, 0)
        with open(log, encoding="utf-8") as file:
            lines = [line.strip() for line in file]
        library = os.path.realpath(LIBRARY)
        self.assertEqual([line.split(" ")[0] for line in lines], ["", "1:1", "mn"])
        self.assertEqual([os.path.realpath(line.split(" ")[1]) for line in lines[1:]], [library] * 2)

    def test_a_program_that_fails(self):
        self.assert_one_line(self.green("compare", "--", DYNAMIC, "3"), 1,
                             "native: the program failed, status 3")

    def test_only_a_terminal_gets_colour_and_a_bar(self):
        for variables, coloured in (({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False),
                                    ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
            master, slave = pty.openpty()
            process = subprocess.Popen([GREEN, "compare", *QUICK, "--", DYNAMIC],
                                       env=environment(variables), stdout=slave, stderr=slave)
            os.close(slave)
            text = b""
            try:
                while chunk := os.read(master, 4096):
                    text += chunk
            except OSError:
                pass  # The terminal's other end is closed.
            os.close(master)
            self.assertEqual(process.wait(), 0)
            self.assertIn(b"] 1/3 native", text)
            self.assertEqual(b"\033[1m" in text, coloured)


class UsageTest(GreenTest):
    def test_bad_words(self):
        load = ("--load", "true")
        for words, part in (((), "needs a program"), (("--", ), "needs a program"),
                            (("--frobnicate", "--", "x"), "--frobnicate"),
                            ((*load, "--runs", "0", "--", "x"), "--runs"),
                            ((*load, "--runs", "many", "--", "x"), "--runs"),
                            ((*load, "--port", "70000", "--", "x"), "--port"),
                            ((*load, "--warmup", "-1", "--", "x"), "--warmup"),
                            ((*load, "--metric", "(", "--", "x"), "--metric"),
                            ((*load, "--workers", "0", "--", "x"), "--workers"),
                            (("--port", "80", "--", "x"), "--load"),
                            (("--lower", "--", "x"), "--metric")):
            self.assert_one_line(self.green("compare", *words), 2, part)

    def test_programs_that_cannot_be_compared(self):
        self.assert_one_line(self.green("compare", "no-such-program"), 127, "no-such-program")
        self.assert_one_line(self.green("compare", "/no/such/program"), 127, "/no/such/program")
        self.assert_one_line(self.green("compare", STATIC), 1, "linked statically")
        self.assert_one_line(self.green("compare", "/"), 126, "can't run /")
        self.assert_one_line(self.green("compare", DYNAMIC, GREEN_LIBRARY="/nowhere"), 125,
                             "GREEN_LIBRARY")
        self.assert_one_line(self.green("compare", "--html", "/no/such/r.html", DYNAMIC), 1,
                             "/no/such/r.html")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
