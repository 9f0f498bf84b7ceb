"""A server's processes, as /proc shows them."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

LIMIT = 60
# epoll_wait, epoll_pwait, epoll_pwait2, poll, ppoll, select, pselect6, accept, accept4, futex, by architecture.
WAITS = {
    "x86_64": {"232", "281", "441", "7", "271", "23", "270", "43", "288", "202"},
    "aarch64": {"22", "441", "73", "72", "202", "242", "98"},
}[os.uname().machine]


class Server:
    def __init__(self, name, command, workers, port, scratch):
        self.name, self.workers, self.port = name, workers, port
        self.begun = time.monotonic()
        log = open(scratch / f"{name}.log", "wb")
        words = [str(word) for word in command]
        self.process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.pid = self.process.pid

    def children(self):
        try:
            return {int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()}
        except OSError:
            return set()

    def ready(self, gone=frozenset()):
        """Waits until there are as many workers as there have to be, none of them one that is to be
        gone, and each waits for something to do; returns them."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            children = self.children()
            if len(children) == self.workers and not children & gone and all(map(waits, children)):
                return children
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} has ended")
            time.sleep(0.0002)
        raise RuntimeError(f"{self.name} has not got its {self.workers} workers, but {len(children)}")

    def answers(self):
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            try:
                return request(self.port)
            except OSError:
                time.sleep(0.0002)
        raise RuntimeError(f"{self.name} does not answer")

    def stop(self):
        """Tells it to stop, and returns how long that takes."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.kill()
        return time.monotonic() - begun

    def kill(self):
        for pid in [self.pid, *self.children()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


def waits(pid):
    """Whether the main thread of a process sleeps until somebody wants something of it."""
    try:
        return Path(f"/proc/{pid}/syscall").read_text().split(" ")[0] in WAITS
    except OSError:
        return False


def request(port):
    with socket.create_connection(("127.0.0.1", port), LIMIT) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b""
        while piece := client.recv(4096):
            answer += piece
    if b" 200 " not in answer.split(b"\r\n")[0] or b"\r\n\r\n" not in answer:
        raise ConnectionError(f"answered {answer!r}")
    return answer


def pss(pid):
    """The proportional memory of a process, in MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def processor_time(pid):
    """How long a process has had a processor, in milliseconds."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
