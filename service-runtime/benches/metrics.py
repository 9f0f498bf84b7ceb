#!/usr/bin/env python3
"""Figures of metrics, each beside its reference, in one run.

    service-runtime/benches/metrics.py [--respawns N] [--seconds S]

Prints the rows of the table in docs/performance.md: what one count costs beside a bare atomic, how long a
scrape of 8 workers with 1,000 series each takes before and after so many respawns, what that takes of
memory, and requests a second on kept connections (with wrk) while nobody scrapes and while somebody does.
"""
import argparse
import os
import re
import signal
import statistics
import subprocess
import threading
import time
import urllib.request

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PROGRAM = os.path.join(ROOT, "target", "release", "examples", "bench-metrics")
SERIES = 1000
WORKERS = 8


class Program:
    """The program, until it is told to stop."""

    def __init__(self, workers, series=0, **more):
        variables = dict(os.environ, SERIES=str(series), NO_COLOR="1", **more)
        flags = ["--workers", str(workers), "--set=web.bind=127.0.0.1:0", "--metrics-bind", "127.0.0.2:0",
                 "--respawn-delay", "1ms", "--respawn-delay-max", "1ms"]
        self.process = subprocess.Popen([PROGRAM, *flags], env=variables, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.lines = []
        self.news = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        self.web = self.wait_for(r"listening on (127\.0\.0\.1:\d+)")[0]
        self.metrics = self.wait_for(r"metrics are told on (127\.0\.0\.2:\d+)")[0]
        self.ready = 0
        self.wait_until_ready(workers)

    def read(self):
        for line in self.process.stderr:
            with self.news:
                self.lines.append(line)
                self.news.notify_all()

    def wait_for(self, pattern, after=0, times=1):
        def found():
            return [m.group(1) for line in self.lines[after:] if (m := re.search(pattern, line))]
        with self.news:
            if not self.news.wait_for(lambda: len(found()) >= times, timeout=120):
                raise SystemExit(f"no {pattern} in\n{''.join(self.lines[-20:])}")
            return found()

    def wait_until_ready(self, more):
        self.ready += more
        self.wait_for(r"worker ready slot=\d+ pid=(\d+)", times=self.ready)

    def workers(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in open(path).read().split()]

    def kill_one(self, number):
        pid = self.workers()[number % WORKERS]
        before = len(self.lines)
        os.kill(pid, signal.SIGKILL)
        self.wait_for(r"worker ready slot=\d+ pid=(\d+)", after=before)

    def scrape(self):
        begun = time.perf_counter()
        text = urllib.request.urlopen(f"http://{self.metrics}/metrics").read()
        return (time.perf_counter() - begun) * 1000, text

    def scrapes(self, times=40):
        return statistics.median(self.scrape()[0] for _ in range(times))

    def stop(self):
        self.process.terminate()
        out = self.process.stdout.read()
        self.process.wait()
        return out


def pss(pid):
    text = open(f"/proc/{pid}/smaps_rollup").read()
    return int(re.search(r"^Pss:\s+(\d+) kB", text, re.M).group(1))


def arenas(pid):
    """The memory that the arenas of all workers take, in KiB."""
    folder = f"/proc/{pid}/fd"
    for name in os.listdir(folder):
        if "service-runtime-metrics" in os.readlink(f"{folder}/{name}"):
            return os.stat(f"{folder}/{name}").st_blocks // 2
    raise SystemExit("no file of arenas")


def wrk(address, seconds):
    command = ["wrk", "-t1", "-c8", f"-d{seconds}s", f"http://{address}/"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def counts():
    program = Program(1, COUNT="1")
    figures = dict(re.findall(r"^count (\w+) ([\d.]+)$", program.stop(), re.M))
    atomic = float(figures["atomic"])
    for what, name in (("a bare atomic", "atomic"), ("`counter!`, its handle kept", "counter"),
                       ("`histogram!`, its handle kept", "histogram"), ("`counter!` with a label, looked up", "macro")):
        figure = float(figures[name])
        print(f"| {what}, ns | {figure:.1f} | {figure / atomic:.2f} |")


def scrapes(respawns):
    empty = Program(WORKERS)
    own, memory = empty.scrapes(), statistics.median(map(pss, empty.workers()))
    file = arenas(empty.process.pid)
    empty.stop()
    print(f"| scrape of {WORKERS} workers, the framework's own series, ms | {own:.1f} | |")
    print(f"| memory (PSS) of a worker, KiB; its arena | {memory:.0f}; {file / (WORKERS + 1):.0f} | |")
    full = Program(WORKERS, SERIES)
    before, memory = full.scrapes(), statistics.median(map(pss, full.workers()))
    length, text = arenas(full.process.pid), full.scrape()[1]
    print(f"| scrape with {SERIES} series in each, {len(text) // 1024} KiB, ms | {before:.1f} | |")
    print(f"| memory (PSS) of such a worker, KiB; its arena | {memory:.0f}; {length / (WORKERS + 1):.0f} | |")
    for number in range(respawns):
        full.kill_one(number)
    after = full.scrapes()
    print(f"| scrape after {respawns} respawns, ms; arenas, KiB | {after:.1f}; {arenas(full.process.pid)} "
          f"(before: {length}) | {after / before:.2f} |")
    full.stop()


def requests(seconds, rounds=11):
    program = Program(2)
    alone, scraped = [], []
    wrk(program.web, 1)
    for _ in range(rounds):
        alone.append(wrk(program.web, seconds))
        over = threading.Event()

        def scraper():
            while not over.wait(0.1):
                program.scrape()
        thread = threading.Thread(target=scraper)
        thread.start()
        scraped.append(wrk(program.web, seconds))
        over.set()
        thread.join()
    program.stop()
    alone, scraped = statistics.median(alone), statistics.median(scraped)
    print(f"| requests a second, nobody scrapes | {alone:.0f} | |")
    print(f"| requests a second, a scrape each 100 ms | {scraped:.0f} | {scraped / alone:.3f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--respawns", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--built", action="store_true", help="take the program as it was built before")
    given = parser.parse_args()
    if not given.built:
        build()
    print("| what | figure | ratio |\n| --- | --- | --- |")
    counts()
    requests(given.seconds)
    scrapes(given.respawns)


def build():
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "service-runtime", "--example",
                    "bench-metrics", "--features", "http"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
