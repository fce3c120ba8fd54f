#!/usr/bin/python3
"""OpenJDK: java -version, javac, a program of 2,000 threads, ended by itself and by SIGTERM."""

import shutil
import time
from pathlib import Path

import harness


def scenario(run):
    source = run.home / "Many.java"
    shutil.copy(Path(__file__).resolve().parent / "Many.java", source)
    run.output(["java", "-version"], green=True)
    run.output(["javac", "-d", run.home, source], green=True, limit=120)
    text = run.output(["java", "-cp", run.home, "Many", 2000], green=True, limit=120).decode()
    if text != "accept ended\ninterrupted\n2000 threads, sum 19990000\n":
        raise harness.Failed(f"it printed {text!r}")
    server = run.start(["java", "-cp", run.home, "Many", 100, "stay"])
    while "threads" not in server.log.read_text():
        time.sleep(harness.SLICE)
    run.stop(server, expect=143)


harness.main({"java": "openjdk-17-jre-headless", "javac": "openjdk-17-jdk-headless"}, scenario)
