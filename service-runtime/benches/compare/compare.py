#!/usr/bin/env python3
"""Measures supervisors beside each other: service-runtime, nginx, uwsgi, gunicorn, oslo.service.

    service-runtime/benches/compare/compare.py [--quick] [--only nginx,service-runtime]

Installs what is missing if it can, and goes on without if it cannot. Prints tables; asserts nothing.
Everything happens on the loopback interface of this machine.

A worker counts as ready when its main thread sleeps in a system call that waits for work, looked at about
every millisecond; that is the same for all of them, whatever they are written in.
"""

import argparse
import os
import random
import signal
import statistics
import tempfile
import threading
import time
from pathlib import Path

import servers
from processes import LIMIT, Server, free_port, processor_time, pss, request

ROWS = [
    ("ready", "start to ready", "ms"),
    ("respawn", "respawn after KILL", "ms"),
    ("recovery", "recovery after KILL of all", "ms"),
    ("stop", "TERM to exit", "ms"),
    ("supervisor", "PSS of the supervisor", "MiB"),
    ("worker", "PSS of a worker", "MiB"),
]


def life(start, workers):
    """One life: start, one kill, a kill of all, stop."""
    server = start(workers)
    took = {}
    try:
        first = server.ready()
        server.answers()
        took["ready"] = (time.monotonic() - server.begun) * 1e3
        # So that nobody has died young, which is answered by a delay that is meant.
        time.sleep(1.1)
        took["supervisor"] = pss(server.pid)
        took["worker"] = statistics.mean(pss(pid) for pid in first)
        victim = random.choice(sorted(first))
        begun = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        second = server.ready({victim})
        took["respawn"] = (time.monotonic() - begun) * 1e3
        time.sleep(1.1)
        begun = time.monotonic()
        for pid in second:
            os.kill(pid, signal.SIGKILL)
        server.ready(second)
        took["recovery"] = (time.monotonic() - begun) * 1e3
        time.sleep(0.2)
        took["stop"] = server.stop() * 1e3
    finally:
        server.kill()
    return took


class Load:
    """Clients that ask on fresh connections, retry nothing and count every failure."""

    def __init__(self, port, clients):
        self.port, self.over = port, False
        self.asked, self.failed, self.longest = 0, 0, 0.0
        self.threads = [threading.Thread(target=self.ask) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        while not self.over:
            begun = time.monotonic()
            try:
                request(self.port)
            except OSError:
                self.failed += 1
            self.asked += 1
            self.longest = max(self.longest, time.monotonic() - begun)
            time.sleep(0.002)

    def end(self):
        self.over = True
        for thread in self.threads:
            thread.join()


def reloads(start, count, seconds):
    """Reloads under load, as many as the time allows."""
    server = start(4)
    try:
        workers = server.ready()
        server.answers()
        load = Load(server.port, 4)
        done, begun = 0, time.monotonic()
        while done < count and time.monotonic() - begun < seconds:
            os.kill(server.pid, signal.SIGHUP)
            workers = server.ready(workers)
            done += 1
            time.sleep(0.02)
        load.end()
    finally:
        server.kill()
    return f"{done} | {load.asked} | {load.failed} | {load.longest * 1e3:.0f} ms"


def respawns(start, count, seconds):
    """Kills workers again and again, and looks at the supervisor's memory."""
    server = start(4)
    try:
        workers = server.ready()
        for _ in range(5):
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
            workers = server.ready(workers)
        before, done, begun = pss(server.pid), 0, time.monotonic()
        while done < count and time.monotonic() - begun < seconds:
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
            done += len(workers)
            workers = server.ready(workers)
        after = pss(server.pid)
    finally:
        server.kill()
    return f"{done} | {before:.2f} MiB | {after:.2f} MiB"


def idle(starts, workers, seconds):
    """The processor time of all supervisors at once, while nothing happens."""
    held = {}
    try:
        for name, start in starts.items():
            held[name] = start(workers)
            held[name].ready()
            held[name].answers()
        time.sleep(5)
        before = {name: processor_time(server.pid) for name, server in held.items()}
        time.sleep(seconds)
        return {name: processor_time(server.pid) - before[name] for name, server in held.items()}
    finally:
        for server in held.values():
            server.kill()


def table(title, results, unit_rows):
    names = list(results)
    print(f"\n{title}\n\n| | {' | '.join(names)} | of nginx |")
    print("| --- |" + " --- |" * (len(names) + 1))
    for key, words, unit in unit_rows:
        median = {name: statistics.median(life[key] for life in lives) for name, lives in results.items()}
        cells = [f"{median[name]:.{1 if unit == 'ms' else 2}f}" for name in names]
        both = median.get("service-runtime"), median.get("nginx")
        ratio = f"{both[0] / both[1]:.2f}" if all(both) else ""
        print(f"| {words}, {unit} | {' | '.join(cells)} | {ratio} |")


def main():
    flags = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    flags.add_argument("--quick", action="store_true", help="a tenth of everything")
    flags.add_argument("--only", help="names of servers, with commas between")
    flags.add_argument("--offline", action="store_true", help="install nothing")
    flags.add_argument("--venv", type=Path, help="where the Python servers are, or shall be")
    flags.add_argument("--rounds", type=int, default=10)
    flags.add_argument("--seconds", type=float, default=60, help="for reloads, respawns and idleness each")
    flags = flags.parse_args()
    if flags.venv:
        servers.VENV = flags.venv
    servers.install(flags.offline)
    ours = servers.build()
    rounds = 2 if flags.quick else flags.rounds
    seconds = flags.seconds / 10 if flags.quick else flags.seconds
    print(f"load at the begin: {os.getloadavg()[0]:.1f}, {os.cpu_count()} CPUs, {rounds} rounds")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        wanted = flags.only.split(",") if flags.only else None
        commands = servers.commands(scratch, ours)
        commands = {name: command for name, command in commands.items() if not wanted or name in wanted}

        def starter(name, *more):
            def start(workers):
                port = free_port()
                return Server(name, commands[name](workers, port, *more), workers, port, scratch)

            return start

        for workers in [2, 16, 128]:
            results = {name: [] for name in commands}
            # By turns, so that whatever else the machine does falls on all of them.
            for _ in range(rounds if workers < 128 else max(1, rounds // 3)):
                for name in commands:
                    results[name].append(life(starter(name), workers))
            table(f"{workers} workers, medians", results, ROWS)

        print("\n| 4 workers, 4 clients | reloads | requests | failed | longest |\n| --- | --- | --- | --- | --- |")
        for name in commands:
            print(f"| {name} | {reloads(starter(name), 100, seconds)} |", flush=True)

        print("\n| supervisor of 4 workers | respawns | before | after |\n| --- | --- | --- | --- |")
        for name in commands:
            more = ["--healthy-after", "0s"] if name == "service-runtime" else []
            print(f"| {name} | {respawns(starter(name, *more), 10_000, seconds)} |", flush=True)

        print(f"\n| idle, 128 workers | processor time in {seconds:.0f} s |\n| --- | --- |")
        for name, spent in idle({name: starter(name) for name in commands}, 128, seconds).items():
            print(f"| {name} | {spent:.1f} ms |")
    print(f"\nload at the end: {os.getloadavg()[0]:.1f}; nothing waited longer than {LIMIT} s")


if __name__ == "__main__":
    main()
