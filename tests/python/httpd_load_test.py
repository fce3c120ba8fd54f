#!/usr/bin/python3
"""Python's ThreadingHTTPServer, unmodified, under 1,000 connections at once.

The load program checks every answer and that every connection is served.
"""

import argparse
import os
import subprocess
import sys

CONNECTIONS, REQUESTS = 1000, 3000


def fields(line):
    return dict(item.split("=", 1) for item in line.split() if "=" in item)


def serve(options, title, extra):
    """None, or what went wrong."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GREEN_") and k != "LD_PRELOAD"}
    server = subprocess.Popen(["/usr/bin/python3", options.server], env={**env, **extra},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().split()[-1]
        load = subprocess.run(
            [options.load, "--http", "--port", port, "--connections", str(CONNECTIONS),
             "--warmup", "0", "--seconds", "60", "--count", str(REQUESTS)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=90)
        if load.returncode:
            return f"the load program ended with {load.returncode}: {load.stdout}"
        seen = fields(load.stdout)
        if int(seen["requests"]) < REQUESTS or int(seen["connections"]) != CONNECTIONS:
            return f"not all was served: {load.stdout}"
        server.terminate()
        _, errors = server.communicate(timeout=20)
        if server.returncode:
            return f"the server ended with {server.returncode}: {errors[-2000:]}"
        if extra and "libgreen: started" not in errors:
            return "libgreen was not active"
        print(f"ok   {title:20} {seen['rps']} requests/s, p99 {float(seen['p99_us']) / 1000:.0f} ms",
              flush=True)
        return None
    except subprocess.TimeoutExpired as late:
        return f"no end within {late.timeout:g} s"
    finally:
        server.kill()
        server.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lib", required=True)
    parser.add_argument("--load", required=True)
    parser.add_argument("--server", required=True)
    options = parser.parse_args()
    failed = False
    for workers in (None, "1", "2", "8"):
        extra = {} if workers is None else {"LD_PRELOAD": os.path.abspath(options.lib),
                                            "GREEN_WORKERS": workers, "GREEN_LOG": "start"}
        title = f"GREEN_WORKERS={workers}" if workers else "native"
        wrong = serve(options, title, extra)
        if wrong:
            print(f"FAIL {title}: {wrong}", flush=True)
            failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
