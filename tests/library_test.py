#!/usr/bin/python3
"""What libgreen.so shows of itself to the programs it is preloaded into."""

import re
import subprocess
import sys
import unittest

LIBRARY, EXPORTS = sys.argv[1:3]
# dladdr and friends are in libc itself since glibc 2.34.
ALLOWED = {"libc.so.6", "ld-linux-x86-64.so.2"}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class LibraryTest(unittest.TestCase):
    def test_needs_libc_and_the_loader_alone(self):
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-dW", LIBRARY))
        self.assertLessEqual(set(needed), ALLOWED)

    def test_exports_only_what_the_map_names(self):
        with open(EXPORTS) as file:
            named = re.findall(r"^\s*(\w+);", file.read().split("local:")[0], re.MULTILINE)
        exported = [line.split()[2].split("@")[0]
                    for line in output("nm", "-D", "--defined-only", LIBRARY).splitlines()
                    if line.split()[1] != "A"]
        self.assertEqual(sorted(set(exported)), sorted(named))

    def test_has_no_segment_both_writable_and_executable(self):
        for line in output("readelf", "-lW", LIBRARY).splitlines():
            flags = re.match(r"\s+(LOAD|GNU_STACK)\s.*?\s([R ][W ][E ])\s+0x", line)
            if flags:
                self.assertNotIn("WE", flags[2])

    def test_is_bound_at_load_time_without_text_relocations(self):
        dynamic = output("readelf", "-dW", LIBRARY)
        self.assertIn("NOW", dynamic)
        self.assertNotIn("TEXTREL", dynamic)
        self.assertNotIn("(RUNPATH)", dynamic)
        self.assertNotIn("(RPATH)", dynamic)

    def test_has_no_tls_segment(self):
        # A __thread variable of libgreen's would belong to whichever task runs.
        self.assertNotRegex(output("readelf", "-lW", LIBRARY), r"\n\s+TLS\s")

    def test_initializes_nothing_at_load_time(self):
        # But for one small function (interpose/load.cc): a table that is zeroed by code costs
        # every program a page fault per page.
        size = re.search(r"\.init_array\s+INIT_ARRAY\s+\w+ \w+ (\w+)",
                         output("readelf", "-SW", LIBRARY))
        self.assertEqual(int(size[1], 16), 8)

    def test_can_be_loaded_by_musl(self):
        # A glibc shell may start musl's programs, whose loader ends them when a symbol that is not
        # weak is missing. musl has these.
        has = set("""__environ __errno_location __libc_current_sigrtmin dl_iterate_phdr dlsym environ
                     getauxval getenv pthread_attr_destroy pthread_attr_getdetachstate
                     pthread_attr_getguardsize pthread_attr_getinheritsched
                     pthread_attr_getschedpolicy pthread_attr_getstack pthread_attr_getstacksize
                     pthread_attr_init pthread_attr_setguardsize pthread_attr_setstack
                     pthread_getattr_default_np pthread_self strcmp""".split())
        wants = re.findall(r"^\s+U (\w+)", output("nm", "-D", "--undefined-only", LIBRARY),
                           re.MULTILINE)
        self.assertLessEqual({"dlsym"}, set(wants))
        self.assertLessEqual(set(wants), has)

    def test_has_probes(self):
        probes = dict(re.findall(r"Provider: libgreen\n\s+Name: (\w+)\n.*\n\s+Arguments: (.*)\n",
                                 output("readelf", "-nW", LIBRARY)))
        for name, arguments in (("run", 1), ("leave", 2), ("wake", 1), ("spawn", 2), ("end", 1),
                                ("steal", 2), ("preempt", 1), ("handoff", 1), ("retake", 2)):
            self.assertEqual(len(probes.get(name, "").split()), arguments, name)
        self.assertEqual(len(probes), 9)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
