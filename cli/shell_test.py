#!/usr/bin/python3
"""The man page and the completions: in step with the options, and valid."""

import os
import re
import subprocess
import sys
import unittest

from green_command import GreenTest

GREEN, PAGE = [os.path.abspath(path) for path in sys.argv[1:3]]
GreenTest.GREEN = GREEN


class ManTest(GreenTest):
    def test_the_page_in_docs_is_current(self):
        with open(PAGE, encoding="utf-8") as file:
            self.assertEqual(file.read(), self.green("man").stdout,
                             "renew it: bazel-bin/green man > docs/green.1")

    def test_names_every_command_and_option(self):
        page = self.green("man").stdout.replace("\\-", "-")
        commands = re.findall(r"^  (\w+) ", self.green("--help").stdout.split("Subcommands:")[1], re.M)
        self.assertIn("compare", commands)
        for command in set(commands) - {"green"}:
            self.assertIn(f".SS green {command}", page)
            for option in re.findall(r"^  (?:-\w,)?(--[\w-]+)", self.green("help", command).stdout, re.M):
                self.assertIn(option, page)

    def test_groff_has_nothing_to_complain_of(self):
        result = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"], text=True,
                                input=self.green("man").stdout, capture_output=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))


class CompletionTest(GreenTest):
    def bash(self, *words):
        """What bash offers for the last word."""
        script = self.path("green.bash")
        with open(script, "w", encoding="utf-8") as file:
            file.write(self.green("completion", "bash").stdout)
        words = ["green", *words]
        line = " ".join(f"'{word}'" for word in words)
        result = subprocess.run(
            ["bash", "-c", f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
                           "_green; printf '%s\\n' \"${COMPREPLY[@]}\""],
            capture_output=True, text=True, check=True)
        self.assertEqual(result.stderr, "")
        return result.stdout.split()

    def test_bash(self):
        self.assertEqual(self.bash("com"), ["compare", "completion"])
        self.assertEqual(self.bash("compare", "--re"), ["--ready", "--report"])
        self.assertEqual(self.bash("help", "e"), ["env"])
        self.assertEqual(self.bash("completion", "f"), ["fish"])
        # Behind the program, its own arguments; before it, commands.
        self.assertIn("sh", self.bash("run", "--workers", "2", "sh"))
        self.assertEqual(self.bash("run", "--workers", "2", "ls", "/etc/host.con"), ["/etc/host.conf"])
        self.assertEqual(self.bash("run", "--", "ls", "--wor"), [])

    def test_every_shell_has_every_option(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.green("completion", shell).stdout
            for command in ("run", "compare", "doctor"):
                for option in re.findall(r"^  (?:-\w,)?--([\w-]+)", self.green("help", command).stdout,
                                         re.M):
                    self.assertRegex(script, rf"(--| -l ){option}\b", (shell, command))

    def test_the_shells_read_them(self):
        for command in (["bash", "-n"], ["zsh", "-n"], ["fish", "--no-execute"]):
            script = self.path("script")
            with open(script, "w", encoding="utf-8") as file:
                file.write(self.green("completion", command[0]).stdout)
            result = subprocess.run([*command, script], capture_output=True, text=True, check=False)
            self.assertEqual((result.returncode, result.stderr), (0, ""), command)

    def test_bad_words(self):
        self.assert_one_line(self.green("completion", "tcsh"), 2, "tcsh")
        self.assert_one_line(self.green("completion"), 2, "shell")
        self.assert_one_line(self.green("man", "green"), 2, "green")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
