"""Starts `green` for tests, away from the caller's own settings."""

import os
import subprocess
import tempfile
import unittest


def environment(variables):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GREEN_")}
    env.pop("LD_PRELOAD", None)
    env.pop("NO_COLOR", None)
    env.update(variables)
    return env


class GreenTest(unittest.TestCase):
    """A test with a folder of its own; GREEN is the command's path."""

    GREEN = None

    def setUp(self):
        home = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(home.cleanup)
        self.home = home.name

    def green(self, *words, timeout=240, **variables):
        return subprocess.run([self.GREEN, *words], env=environment(variables), capture_output=True,
                              text=True, timeout=timeout)

    def path(self, name):
        return os.path.join(self.home, name)

    def script(self, name, text):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)
        return path

    def assert_one_line(self, result, status, *parts):
        self.assertEqual((result.returncode, result.stdout), (status, ""), result.stderr)
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertRegex(lines[0], "^(libgreen|green): ")
        for part in parts:
            self.assertIn(part, lines[0])
