#!/usr/bin/python3
"""perf's stacks, which are unwound from copies of the stacks and from the files alone."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

LIBRARY, PROGRAM = map(os.path.abspath, sys.argv[1:3])
ENDS = ("main", "start_thread", "green_clone_carrier", "green_context_entry")


class Perf(unittest.TestCase):
    def test_stacks_reach_their_ends(self):
        with tempfile.TemporaryDirectory() as home:
            data = os.path.join(home, "perf.data")
            record = subprocess.run(
                ["perf", "record", "-q", "-e", "cpu-clock:u", "-F", "199", "-o", data,
                 "--call-graph", "dwarf,4096", "env", "GREEN_WORKERS=1", f"LD_PRELOAD={LIBRARY}",
                 PROGRAM], capture_output=True, text=True, timeout=120)
            if "erf_event_open" in record.stderr or "No permission" in record.stderr:
                self.skipTest(record.stderr)
            self.assertEqual(record.returncode, 0, record.stderr)
            script = subprocess.run(["perf", "script", "-i", data, "-F", "comm,ip,sym"],
                                    capture_output=True, text=True, timeout=300).stdout
        stacks = [s for s in script.split("\n\n") if "green_slots" in s]
        self.assertGreater(len(stacks), 20)
        lost = [s for s in stacks if not re.search("|".join(ENDS), s)]
        self.assertLessEqual(len(lost), len(stacks) // 20, "\n\n".join(lost[:5]))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
