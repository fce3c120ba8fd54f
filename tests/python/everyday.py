#!/usr/bin/python3
"""What Python programs with threads do every day, each part checked.

Prints one line per part, the same on every run.
"""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def all_of(count, work):
    """Runs work(0) ... work(count - 1), each in a thread of its own."""
    errors = []

    def guarded(number):
        try:
            work(number)
        except BaseException as error:  # reported by the main thread
            errors.append((number, repr(error)))

    threads = [threading.Thread(target=guarded, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors[:5]


def queues():
    jobs, results = queue.Queue(maxsize=8), queue.Queue()

    def worker(_):
        while (job := jobs.get()) is not None:
            results.put(job * job)
            jobs.task_done()

    pool = threading.Thread(target=all_of, args=(16, worker))
    pool.start()
    for number in range(4000):
        jobs.put(number)
    jobs.join()
    for _ in range(16):
        jobs.put(None)
    pool.join()
    assert sorted(results.queue) == [n * n for n in range(4000)]


def locks():
    lock, counter = threading.Lock(), [0]
    room, most, inside = threading.BoundedSemaphore(3), [0], [0]
    barrier, turns = threading.Barrier(8), []

    def count(_):
        for _ in range(500):
            with lock:
                counter[0] += 1

    def enter(_):
        with room:
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.001)
            with lock:
                inside[0] -= 1

    def meet(number):
        for turn in range(20):
            barrier.wait(20)
            turns.append(turn)

    all_of(20, count)
    all_of(20, enter)
    all_of(8, meet)
    assert counter[0] == 10000 and most[0] <= 3
    assert turns == sorted(turns) and len(turns) == 160


def conditions():
    ready, state = threading.Condition(), [0]

    def step(number):
        with ready:
            assert ready.wait_for(lambda: state[0] == number, 20)
            state[0] += 1
            ready.notify_all()

    all_of(60, step)
    assert state[0] == 60
    with ready:
        begin = time.monotonic()
        assert not ready.wait(0.05)
        assert time.monotonic() - begin >= 0.049
    event = threading.Event()
    timer = threading.Timer(0.02, event.set)
    timer.start()
    assert event.wait(20)
    timer.join()


def locals_and_names():
    data = threading.local()

    def work(number):
        data.value = number
        time.sleep(0.002)
        assert data.value == number
        assert threading.current_thread().native_id == threading.get_native_id()

    all_of(100, work)


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[::-1])

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


def http_server():
    server = Server(("127.0.0.1", 0), Answer)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    connected = threading.Barrier(100)

    def client(number):
        connection = HTTPConnection(*server.server_address, timeout=30)
        connection.connect()
        connected.wait(30)  # all connections are open at once
        for request in range(3):
            body = b"%d:%d:" % (number, request) * (1 + number * 40)
            connection.request("POST", "/", body)
            assert connection.getresponse().read() == body[::-1]
        connection.close()

    all_of(100, client)
    server.shutdown()
    serving.join()
    server.server_close()


def processes():
    def run(number):
        text = f"number {number}\n".encode() * 500
        done = subprocess.run(["cat"], input=text, capture_output=True, timeout=20, check=True)
        assert done.stdout == text
        assert subprocess.call(["sh", "-c", f"exit {number}"]) == number

    all_of(6, run)
    begin = time.monotonic()
    try:
        subprocess.run(["sleep", "30"], timeout=0.1)
        raise AssertionError("sleep ended")
    except subprocess.TimeoutExpired:
        assert time.monotonic() - begin < 10
    assert os.popen("echo popen").read() == "popen\n"
    assert os.waitstatus_to_exitcode(os.system("exit 3")) == 3

    def fork(number):
        pid = os.fork()
        if pid == 0:
            # The child is a threaded program too.
            seen = []
            thread = threading.Thread(target=seen.append, args=(number,))
            thread.start()
            thread.join()
            os._exit(seen[0])
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == number

    all_of(6, fork)


def names():
    def resolve(_):
        found = socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
        assert {entry[4][0] for entry in found} <= {"127.0.0.1", "::1"} and found
        try:
            socket.getaddrinfo("no-such-host.invalid", 80)
            raise AssertionError("resolved")
        except socket.gaierror:
            pass

    all_of(20, resolve)


def pools():
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda n: sum(range(n)), range(500))) == sum(
            n * (n - 1) // 2 for n in range(500))
        assert pool.submit(time.sleep, 0.01).result(20) is None


def signals():
    got = []
    signal.signal(signal.SIGUSR1, lambda *_: got.append(threading.current_thread()))
    stop = threading.Event()
    spinning = threading.Thread(target=lambda: [None for _ in iter(stop.is_set, True)])
    spinning.start()
    for number in range(20):
        if number % 2:
            signal.pthread_kill(spinning.ident, signal.SIGUSR1)
        else:
            os.kill(os.getpid(), signal.SIGUSR1)
        deadline = time.monotonic() + 20
        while len(got) <= number:
            assert time.monotonic() < deadline, "a signal was lost"
            time.sleep(0.001)
    stop.set()
    spinning.join()
    assert got == [threading.main_thread()] * 20


def main():
    for part in (queues, locks, conditions, locals_and_names, http_server, processes, names,
                 pools, signals):
        part()
        print(part.__name__, "ok", flush=True)


if __name__ == "__main__":
    sys.exit(main())
