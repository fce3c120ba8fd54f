#!/usr/bin/python3
"""What `green doctor` says of the machine, of programs and of processes."""

import ctypes
import os
import re
import resource
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from green_command import GreenTest, environment

GREEN, LIBRARY, STATIC, DYNAMIC, MUSL, SERVER = [os.path.abspath(p) for p in sys.argv[1:7]]
GreenTest.GREEN = GREEN

TINY = "void _start(void) { __asm__ volatile(\"mov $1,%eax; xor %ebx,%ebx; int $0x80\"); }"


def refuse(*calls):
    """A seccomp filter (seccomp(2)): (number, least first argument) fail with EPERM."""
    load, jump_equal, jump_at_least, answer = 0x20, 0x15, 0x35, 0x06
    program = []
    for number, least in calls:
        program += [(load, 0, 0, 0), (jump_equal, 0, 3, number), (load, 0, 0, 16),
                    (jump_at_least, 0, 1, least), (answer, 0, 0, 0x50001)]
    program.append((answer, 0, 0, 0x7fff0000))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in program))
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privs, set_seccomp, filter_mode = 38, 22, 2
    if libc.prctl(no_new_privs, 1, 0, 0, 0) or libc.prctl(set_seccomp, filter_mode, header):
        raise OSError(ctypes.get_errno(), "prctl")


class DoctorTest(GreenTest):
    def copy(self, program, name, mode=0o755):
        path = self.path(name)
        shutil.copy(program, path)
        os.chmod(path, mode)
        return path

    def assert_bad(self, result, *parts):
        self.assertEqual((result.returncode, result.stderr), (1, ""), result.stdout)
        bad = [line for line in result.stdout.splitlines() if line.startswith("  BAD ")]
        self.assertTrue(bad, result.stdout)
        for part in parts:
            self.assertIn(part, " ".join(bad))
        self.assertIn("cannot serve it", result.stdout.splitlines()[-1])

    def test_the_machine(self):
        result = self.green("doctor")
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        self.assertRegex(result.stdout, r"ok    started, \d+ workers?,")
        self.assertEqual(result.stdout.splitlines()[-1], "libgreen works here.")

    def on_a_machine(self, prepare):
        """What it says where `prepare` has run before it."""
        result = subprocess.run([GREEN, "doctor"], env=environment({}), capture_output=True, text=True,
                                preexec_fn=prepare, timeout=240, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        return result.stdout

    def test_low_limits(self):
        def lower(files, space):
            resource.setrlimit(resource.RLIMIT_NOFILE, files)
            resource.setrlimit(resource.RLIMIT_AS, (space, space))

        said = self.on_a_machine(lambda: lower((256, 512), 4 << 30))
        self.assertIn("note  256 open files at once", said)
        self.assertIn("for more: ulimit -n 512", said)
        self.assertIn("note  the address space is limited to 4096 MiB", said)
        said = self.on_a_machine(lambda: lower((256, 256), 4 << 30))
        self.assertIn("for more: the hard limit must be raised", said)

    def test_a_seccomp_filter(self):
        self.assertIn("ok    no seccomp filter", self.on_a_machine(None))
        said = self.on_a_machine(lambda: refuse((425, 0), (135, 0)))  # io_uring_setup, personality
        self.assertIn("note  a seccomp filter is in force", said)
        self.assertIn("ok    GREEN_DOOR=sud can be used", said)

    def test_a_kernel_without_syscall_user_dispatch(self):
        said = self.on_a_machine(lambda: refuse((157, 59)))  # prctl, PR_SET_SYSCALL_USER_DISPATCH
        self.assertIn("note  the kernel lacks Syscall User Dispatch", said)

    def test_a_program_it_can_serve(self):
        result = self.green("doctor", "--", DYNAMIC)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        self.assertIn("green run -- " + DYNAMIC, result.stdout.splitlines()[-1])

    def test_counts_the_calls_that_the_runtime_patches(self):
        """What doctor says of a file is what happens when it runs."""
        said = self.green("doctor", "--", SERVER).stdout
        seen = int(re.search(r" objects: (\d+) seen", said)[1])
        server = self.start(SERVER, LD_PRELOAD=LIBRARY, GREEN_LOG="start")
        patched = int(re.search(r"(\d+) system calls patched", self.wait_for_start(server))[1])
        self.assertEqual(seen, patched)

    def start(self, *command, **variables):
        process = subprocess.Popen(command, env=environment(variables), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)

        def end():
            process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def wait_for_start(self, server):
        """The server makes its first thread for a connection."""
        port = server.stdout.readline().split()[1]
        subprocess.run(["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"], check=True)
        return server.stderr.readline()

    def test_a_process_under_libgreen(self):
        server = self.start(SERVER, LD_PRELOAD=LIBRARY, GREEN_LOG="start")
        self.wait_for_start(server)
        result = self.green("doctor", str(server.pid))
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        self.assertIn("GREEN_LOG=start", result.stdout)
        self.assertRegex(result.stdout, r"objects: [1-9]\d+ seen by libgreen")
        self.assertNotIn("not patched", result.stdout)
        self.assertEqual(result.stdout.splitlines()[-1], "libgreen serves it.")

    def test_a_library_of_another_name_that_was_replaced_since(self):
        library = self.copy(LIBRARY, "g.so")
        server = self.start(SERVER, LD_PRELOAD=library, GREEN_LOG="start")
        self.wait_for_start(server)
        os.unlink(library)
        result = self.green("doctor", str(server.pid))
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        self.assertNotIn("cannot be read", result.stdout)
        self.assertEqual(result.stdout.splitlines()[-1], "libgreen serves it.")

    def test_a_process_that_made_no_thread_yet(self):
        server = self.start(SERVER, LD_PRELOAD=LIBRARY)
        server.stdout.readline()
        result = self.green("doctor", str(server.pid))
        self.assertIn("has not started", result.stdout)
        self.assertEqual(result.stdout.splitlines()[-1], "libgreen has not started in it.")

    def test_a_process_without_libgreen(self):
        server = self.start(SERVER)
        server.stdout.readline()
        result = self.green("doctor", str(server.pid))
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        self.assertIn("cannot be added to a running process", result.stdout)

    def test_a_process_that_is_not_there(self):
        self.assert_one_line(self.green("doctor", "999999999"), 127, "no process 999999999")

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become another user")
    def test_a_process_of_another_user(self):
        sleeper = self.start("sleep", "100")
        with tempfile.TemporaryDirectory() as folder:  # That the other user can get into.
            os.chmod(folder, 0o755)
            for path in (GREEN, LIBRARY):
                shutil.copy(path, folder)
            result = subprocess.run([os.path.join(folder, "green"), "doctor", str(sleeper.pid)],
                                    user="nobody", capture_output=True, text=True, timeout=60,
                                    check=False)
        self.assert_one_line(result, 1, f"process {sleeper.pid} belongs to user root")

    def test_bad_programs(self):
        setuid = self.copy(DYNAMIC, "setuid", 0o755 | stat.S_ISUID)
        go = self.path("go")
        subprocess.run(["objcopy", "--add-section", ".go.buildinfo=/etc/hostname", DYNAMIC, go],
                       check=True)
        small = self.path("small")
        subprocess.run(["gcc", "-m32", "-nostdlib", "-static", "-fno-pic", "-x", "c", "-", "-o",
                        small], input=TINY, text=True, check=True)
        for program, why in ((STATIC, "linked statically"), (setuid, "setuid"), (go, "Go program"),
                             (small, "not a 64-bit x86-64"), (MUSL, "musl"),
                             ("/etc/passwd", "not a 64-bit x86-64")):
            self.assert_bad(self.green("doctor", "--", program), program, why)

    def test_a_script_is_judged_by_its_interpreter(self):
        self.assert_bad(self.green("doctor", self.script("bad", f"#!{STATIC}\n")), STATIC)
        good = self.green("doctor", self.script("good", f"#! {DYNAMIC} -x\n"))
        self.assertEqual(good.returncode, 0, good.stdout)
        self.assertIn(f"a script: {DYNAMIC} is what runs", good.stdout)

    def test_a_missing_library(self):
        subprocess.run(["gcc", "-shared", "-x", "c", "/dev/null", "-o", self.path("libgone.so")],
                       check=True)
        program = self.path("needs")
        subprocess.run(["gcc", "-Wl,--no-as-needed", "-x", "c", "-", "-o", program,
                        f"-L{self.home}", "-lgone"], input="int main(void) { return 0; }",
                       text=True, check=True)
        os.remove(self.path("libgone.so"))
        self.assert_bad(self.green("doctor", program), "libgone.so is not found")

    def test_bad_words(self):
        self.assert_one_line(self.green("doctor", "no-such-program"), 127, "no-such-program")
        self.assert_one_line(self.green("doctor", "/no/such/program"), 127, "/no/such/program")
        self.assert_one_line(self.green("doctor", "--frobnicate"), 2, "--frobnicate")
        self.assert_one_line(self.green("doctor", GREEN_LIBRARY="/nowhere"), 125, "GREEN_LIBRARY")

    def test_says_when_libgreen_does_not_start(self):
        result = self.green("doctor", GREEN_WORKERS="many")
        self.assertEqual(result.returncode, 1)
        self.assertIn("GREEN_WORKERS=many", result.stdout)

    def test_reads_of_a_process_end(self):
        """A process that ends meanwhile is no reason to hang or to crash."""
        process = subprocess.Popen(["true"])
        time.sleep(0.1)  # A zombie now: not waited for.
        self.assertEqual(self.green("doctor", str(process.pid)).returncode, 1)
        process.wait()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
