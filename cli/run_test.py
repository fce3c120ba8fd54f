#!/usr/bin/python3
"""What `green run` starts, refuses and returns, seen from outside."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

GREEN, LIBRARY, STATIC, DYNAMIC = [os.path.abspath(path) for path in sys.argv[1:5]]


def green(*words, **variables):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GREEN_")}
    env.pop("LD_PRELOAD", None)
    env.update(variables)
    return subprocess.run([GREEN, *words], env=env, capture_output=True, text=True, timeout=20)


def seen(result):
    return dict(line.split("=", 1) for line in result.stdout.splitlines())


class RunTest(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(self.home.cleanup)

    def copy(self, program, name):
        path = os.path.join(self.home.name, name)
        shutil.copy(program, path)
        os.chmod(path, 0o755)
        return path

    def assert_refused(self, result, why):
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("libgreen: "), lines[0])
        self.assertIn(why, lines[0])

    def test_preloads_the_library_beside_itself(self):
        result = green("run", "--", DYNAMIC)
        self.assertEqual(os.path.realpath(seen(result)["LD_PRELOAD"]), os.path.realpath(LIBRARY))
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    @unittest.skipUnless(os.getuid() == 0, "only root can take /proc away")
    def test_without_proc(self):
        for words, status, why in ((["run", "--", DYNAMIC], 125, "without /proc"),
                                   (["ps", "1"], 1, "without /proc"),
                                   (["doctor"], 1, "there is no /proc")):
            variables = {"GREEN_LIBRARY": LIBRARY} if words == ["doctor"] else {}
            result = subprocess.run(
                ["unshare", "-m", "sh", "-c", 'umount -l /proc && exec "$0" "$@"', GREEN, *words],
                env={"PATH": os.environ["PATH"], **variables}, capture_output=True, text=True,
                timeout=60)
            self.assertEqual(result.returncode, status, result.stderr)
            self.assertIn(why, result.stderr + result.stdout)
            self.assertLessEqual(len(result.stderr.splitlines()), 1, result.stderr)

    def test_needs_no_dashes_before_the_program(self):
        result = green("run", "--workers", "3", DYNAMIC, "7")
        self.assertEqual((result.returncode, seen(result)["GREEN_WORKERS"]), (7, "3"))

    def test_options_after_the_program_are_the_programs(self):
        result = green("run", "/bin/echo", "--workers", "-x", "--", "y")
        self.assertEqual(result.stdout, "--workers -x -- y\n")
        result = green("run", "--", "/bin/echo", "--workers", "-x", "--", "y")
        self.assertEqual(result.stdout, "--workers -x -- y\n")

    def test_keeps_other_preloads(self):
        other = self.copy(LIBRARY, "libother.so")
        preloads = seen(green("run", "--", DYNAMIC, LD_PRELOAD=other))["LD_PRELOAD"].split(":")
        self.assertEqual(preloads[0], other)
        self.assertEqual(len(preloads), 2)

    def test_passes_status_and_signals_through(self):
        self.assertEqual(green("run", "--", DYNAMIC, "42").returncode, 42)
        result = green("run", "--", "sh", "-c", "kill -TERM $$")
        self.assertEqual(result.returncode, -signal.SIGTERM)

    def test_takes_the_library_from_the_environment(self):
        other = self.copy(LIBRARY, "elsewhere.so")
        self.assertEqual(seen(green("run", "--", DYNAMIC, GREEN_LIBRARY=other))["LD_PRELOAD"], other)

    def test_finds_the_library_in_lib(self):
        for folder in ("bin", "lib"):
            os.mkdir(os.path.join(self.home.name, folder))
        command = self.copy(GREEN, "bin/green")
        library = self.copy(LIBRARY, "lib/libgreen.so")
        result = subprocess.run([command, "run", DYNAMIC], capture_output=True, text=True)
        self.assertEqual(seen(result)["LD_PRELOAD"], os.path.realpath(library))

    def test_says_so_when_the_library_is_missing(self):
        result = green("run", "--", DYNAMIC, GREEN_LIBRARY="/nowhere/libgreen.so")
        self.assertEqual(result.returncode, 125)
        self.assert_refused(result, "GREEN_LIBRARY")

    def test_runs_a_static_program_natively(self):
        result = green("run", "--", STATIC, "5")
        self.assert_refused(result, "linked statically")
        self.assertEqual((result.returncode, seen(result)["LD_PRELOAD"]), (5, "unset"))

    def test_runs_a_setuid_program_natively(self):
        program = self.copy(DYNAMIC, "setuid")
        os.chmod(program, 0o755 | stat.S_ISUID)
        result = green("run", "--", program)
        self.assert_refused(result, "setuid")
        self.assertEqual((result.returncode, seen(result)["LD_PRELOAD"]), (0, "unset"))

    def test_runs_a_go_program_natively(self):
        program = os.path.join(self.home.name, "go")
        subprocess.run(["objcopy", "--add-section", ".go.buildinfo=/etc/hostname", DYNAMIC, program],
                       check=True)
        result = green("run", "--", program)
        self.assert_refused(result, "Go program")
        self.assertEqual((result.returncode, seen(result)["LD_PRELOAD"]), (0, "unset"))

    def test_judges_a_script_by_its_interpreter(self):
        script = os.path.join(self.home.name, "script")
        for interpreter, refused in ((STATIC, True), (DYNAMIC, False)):
            with open(script, "w") as file:
                file.write(f"#! {interpreter} 3\n")
            os.chmod(script, 0o755)
            result = green("run", "--", script)
            self.assertEqual((result.returncode, bool(result.stderr)), (3, refused))

    def test_refuses_another_machine_and_says_what_exec_said(self):
        program = self.copy(DYNAMIC, "other")
        with open(program, "r+b") as file:
            file.seek(18)
            file.write(b"\xb7\x00")  # e_machine: aarch64
        result = green("run", "--", program)
        self.assertEqual(result.returncode, 126)
        self.assertIn("is not a 64-bit x86-64 ELF program", result.stderr.splitlines()[0])

    def test_leaves_a_script_without_interpreter_to_the_shell(self):
        script = os.path.join(self.home.name, "script")
        with open(script, "w") as file:
            file.write("exit 9\n")
        os.chmod(script, 0o755)
        self.assertEqual(green("run", script).returncode, 9)

    def test_reports_a_program_that_is_not_there(self):
        for program in ("no-such-program", "/no/such/program"):
            result = green("run", "--", program)
            self.assertEqual(result.returncode, 127)
            self.assert_refused(result, program)

    def test_a_folder_is_no_program(self):
        result = green("run", "--", self.home.name)
        self.assertEqual(result.returncode, 126)
        self.assert_refused(result, self.home.name)


class UsageTest(unittest.TestCase):
    def assert_usage_error(self, *words):
        result = green(*words)
        self.assertEqual((result.returncode, result.stdout), (2, ""), words)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertTrue(result.stderr.startswith("green: "), result.stderr)
        return result.stderr

    def test_unknown_words(self):
        self.assert_usage_error()
        self.assert_usage_error("--frobnicate")
        self.assert_usage_error("frobnicate")
        self.assertIn("--frobnicate", self.assert_usage_error("run", "--frobnicate", DYNAMIC))
        self.assert_usage_error("run")
        self.assert_usage_error("run", "--")
        self.assert_usage_error("help", "frobnicate")

    def test_bad_values(self):
        for flag, value in (("--workers", "0"), ("--stack", "big"), ("--mode", "2:1"),
                            ("--slice", "1s"), ("--door", "window")):
            self.assertIn(flag, self.assert_usage_error("run", flag, value, "--", DYNAMIC))
        self.assert_usage_error("run", "--workers")

    def test_version_and_help(self):
        self.assertRegex(green("--version").stdout, r"^green \d+\.\d+\.\d+\n$")
        for words in (["--help"], ["help"], ["run", "--help"], ["help", "run"]):
            result = green(*words)
            self.assertEqual((result.returncode, result.stderr), (0, ""), words)
            self.assertIn("sage: green", result.stdout)

    def test_help_env_names_every_variable(self):
        table = green("help", "env").stdout
        for name in "MODE WORKERS STACK SLICE BOUND MAX_CARRIERS DOOR REPORT LOG FOLLOW".split():
            self.assertIn(f"\nGREEN_{name} ", table)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
