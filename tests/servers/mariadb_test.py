#!/usr/bin/python3
"""mariadbd: a new data directory, sysbench read-write on 1,000 connections, CHECK TABLE, an end
by mariadb-admin, the same data after a restart, an end by SIGTERM."""

import os
import re

import harness

TABLES, ROWS, SECONDS = 4, 2000, 8


class Database:
    def __init__(self, run):
        self.run, self.data = run, run.home / "data"
        self.port = harness.free_port()
        run.output(["mariadb-install-db", "--no-defaults", "--force", f"--datadir={self.data}", "--user=root",
                    "--auth-root-authentication-method=normal", "--skip-test-db"], limit=120)

    def serve(self):
        return self.run.serve(
            ["mariadbd", "--no-defaults", f"--datadir={self.data}", f"--socket={self.data}/socket",
             f"--pid-file={self.data}/pid", "--bind-address=127.0.0.1", f"--port={self.port}",
             "--user=root", "--max-connections=2000", "--back-log=2048",
             "--innodb-buffer-pool-size=64M", "--skip-name-resolve", "--performance-schema=0",
             "--max-prepared-stmt-count=1048576", "--table-open-cache=4096"], self.port, limit=60)

    def client(self, program, *more):
        return self.run.output([program, "--no-defaults", "-h127.0.0.1", f"-P{self.port}", "-uroot",
                                *more])

    def sql(self, text):
        return self.client("mariadb", "-N", "-e", text).decode()

    def sysbench(self, server, threads, action):
        run = self.run
        load = run.start(["sysbench", "oltp_read_write", "--db-driver=mysql",
                          "--mysql-host=127.0.0.1", f"--mysql-port={self.port}",
                          "--mysql-user=root", "--mysql-db=bench", f"--tables={TABLES}",
                          f"--table-size={ROWS}", f"--threads={threads}", f"--time={SECONDS}",
                          "--mysql-ignore-errors=1213,1020,1205", action], green=False)
        most = 0
        while load.poll() is None and server.poll() is None:
            most = max(most, harness.os_threads(server.pid))
            try:
                load.wait(0.5)
            except harness.subprocess.TimeoutExpired:
                continue
        run.wait(load, f"sysbench {action}", 60)
        return most, load.log.read_text()

    def checks_out(self):
        text = self.client("mariadb-check", "bench").decode()
        if len(re.findall(r"\bOK$", text, re.MULTILINE)) != TABLES:
            raise harness.Failed(f"CHECK TABLE: {text}")
        return self.sql("".join(f"checksum table bench.sbtest{i + 1};" for i in range(TABLES)))


def scenario(run):
    database = Database(run)
    server = database.serve()
    database.sql("create database bench")
    database.sysbench(server, 1, "prepare")
    most, text = database.sysbench(server, 1000, "run")
    rate = re.search(r"queries: .*\((.*)\)", text)
    print(f"       {rate[1]} os_threads={most}", flush=True)
    run.check_few_threads(most, spare=40)
    before = database.checks_out()
    run.check_started(server)
    database.client("mariadb-admin", "shutdown")
    run.wait(server, "mariadbd after mariadb-admin shutdown", 60)

    server = database.serve()
    if database.checks_out() != before:
        raise harness.Failed("other data after the restart")
    run.stop(server, limit=60)
    if os.path.exists(database.data / "pid"):
        raise harness.Failed("the pid file is still there")


harness.main({"mariadbd": "mariadb-server", "sysbench": "sysbench"}, scenario)
