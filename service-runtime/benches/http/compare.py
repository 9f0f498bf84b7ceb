#!/usr/bin/env python3
"""Compares HTTP servers side by side, in one run on one machine: ours, bare hyper, axum::serve, actix-web, nginx.

    service-runtime/benches/http/compare.py [--rounds 5] [--seconds 4] [--only throughput|reload|memory] [--servers ours,nginx]

Needs wrk, nginx and openssl. Every server has two workers or threads and answers `hello`; all else is as it
is by default, but for nginx, which keeps connections for as many requests as ours does. Rounds take turns, so
that a neighbour's load falls on all of them; the best round of each counts, and the median is shown too. On a
machine that others use, run it by `chrt -r 10`, before all of them, and trust the processor time first.
"""
import argparse
import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[2] / "target" / "http-comparison"))
CONNECTIONS = 64
IDLE = 10_000

NGINX = """
worker_processes {workers};
daemon off;
pid {folder}/nginx.pid;
error_log /dev/null;
worker_rlimit_nofile 20000;
events {{ worker_connections 12000; }}
http {{
    access_log off;
    keepalive_requests 10000;
    keepalive_timeout 600s;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} {ssl} backlog=1024;
        {pair}
        location / {{ default_type text/plain; return 200 "hello"; }}
    }}
}}
"""


class Server:
    """A server that runs, until the end of the block."""

    def __init__(self, name, folder, pair=None, workers=2, more=()):
        self.name, self.port = name, free_port()
        address = f"127.0.0.1:{self.port}"
        if name == "nginx":
            path = folder / "nginx.conf"
            tls = pair and f"ssl_certificate {pair[0]}; ssl_certificate_key {pair[1]};"
            text = NGINX.format(
                folder=folder, port=self.port, workers=workers, ssl="ssl" if pair else "", pair=tls or ""
            )
            path.write_text(text)
            command = ["nginx", "-c", str(path)]
        elif name == "ours":
            command = [TARGET / "release" / "ours", "--workers", str(workers), "--set", f"api.bind={address}"]
            if pair:
                command += ["--set", f"api.tls.cert={pair[0]}", "--set", f"api.tls.key={pair[1]}"]
            command += more
        else:
            command = [TARGET / "release" / name, address, *(pair or [])]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: connects(self.port), f"{name} listens")
        time.sleep(0.2)

    def processor_time(self):
        """Returns what all its processes have spent so far, in seconds."""
        ticks = 0
        for pid in [self.process.pid, *self.workers()]:
            try:
                stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()
            except OSError:
                # A worker that a reload has ended meanwhile.
                continue
            ticks += int(stat[11]) + int(stat[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def workers(self):
        return [int(pid) for pid in run("pgrep", "-P", str(self.process.pid), check=False).split()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # What still runs of a load is of no use to anybody.
        self.process.send_signal(signal.SIGKILL if self.name not in ("ours", "nginx") else signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, text=True).stdout


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def connects(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def until(true, what):
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    sys.exit(f"not true after ten seconds: {what}")


def wrk(server, seconds, tls=False, close=False):
    """Returns requests a second, p50 and p99 and the server's processor time for one in microseconds, and errors."""
    url = f"http{'s' if tls else ''}://127.0.0.1:{server.port}/"
    close = ["-H", "Connection: close"] if close else []
    begun = server.processor_time()
    text = run("wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", *close, url)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    errors = re.search(r"Socket errors: (.*)", text) or re.search(r"Non-2xx.*", text)
    count = int(re.search(r"(\d+) requests in", text)[1])
    each = (server.processor_time() - begun) / count * 1e6
    return rate, micros(text, "50"), micros(text, "99"), each, errors and errors[0]


def micros(text, percent):
    number, unit = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)\b", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def time_text(micros):
    return f"{micros / 1000:.2f} ms" if micros >= 1000 else f"{micros:.0f} µs"


def throughput(arguments, folder, pair):
    kinds = {
        "keep-alive": {},
        "a connection for each": {"close": True},
        "TLS, keep-alive": {"tls": True},
        "TLS, a connection for each": {"tls": True, "close": True},
    }
    measured = {}
    for round_ in range(arguments.rounds):
        for kind, how in kinds.items():
            tls = how.get("tls", False)
            order = arguments.servers[round_ % len(arguments.servers) :] + arguments.servers
            for name in dict.fromkeys(order):
                if tls and name == "axum_serve":
                    continue
                with Server(name, folder, pair if tls else None) as server:
                    wrk(server, 1, **how)
                    found = wrk(server, arguments.seconds, **how)
                measured.setdefault((kind, name), []).append(found)
                print(f"  round {round_ + 1} {kind}, {name}: {found}", file=sys.stderr, flush=True)
    for kind in kinds:
        print(f"\n{kind}: requests a second, best and median of {arguments.rounds}, ours to it by the best; "
            "p50 and p99 of the best; median of the processor time for one")
        best = {name: max(found) for (its, name), found in measured.items() if its == kind}
        ours = best.get("ours")
        for name in arguments.servers:
            if name not in best:
                continue
            rate, p50, p99, _, _ = best[name]
            median = statistics.median(found[0] for found in measured[kind, name])
            each = statistics.median(found[3] for found in measured[kind, name])
            errors = [found[4] for found in measured[kind, name] if found[4]]
            ratio = f"{ours[0] / rate:.2f}" if ours else ""
            print(
                f"| {name} | {rate:,.0f} | {median:,.0f} | {ratio} | {time_text(p50)} | {time_text(p99)} | {each:.1f} µs |"
                + (f" errors: {errors}" if errors else "")
            )


def reload(arguments, folder, pair):
    print(f"\np99 at rest, and with a reload each second, {CONNECTIONS} connections: keep-alive, then one for each")
    for close in (False, True):
        rest, during, errors = [], [], []
        for _ in range(arguments.rounds):
            for name in [name for name in arguments.servers if name in ("ours", "nginx")]:
                with Server(name, folder) as server:
                    wrk(server, 1, close=close)
                    rest.append((name, wrk(server, arguments.seconds, close=close)))
                    ticker = subprocess.Popen(
                        ["sh", "-c", f"while kill -HUP {server.process.pid}; do sleep 1; done"],
                        stderr=subprocess.DEVNULL,
                    )
                    during.append((name, wrk(server, arguments.seconds, close=close)))
                    ticker.kill()
                    ticker.wait()
        for name in dict.fromkeys(name for name, _ in rest):
            best = min(found[2] for its, found in rest if its == name)
            worse = min(found[2] for its, found in during if its == name)
            errors = [found[4] for its, found in during if its == name and found[4]]
            print(f"| {name} | {time_text(best)} | {time_text(worse)} | {worse / best:.2f} |", errors or "")


def memory(arguments, folder, pair):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    idle = min(IDLE, limits[1] - 100)
    print(f"\nmemory of one worker, before and with {idle} idle connections that each have had one answer")
    more = ["--set", f"api.max_connections={idle + 10}"]
    for name in [name for name in arguments.servers if name in ("ours", "nginx")]:
        with Server(name, folder, workers=1, more=more) as server:
            worker = server.workers()[0]
            before = resident(worker)
            clients = [ask(server.port) for _ in range(idle)]
            after = resident(worker)
            each = (after - before) * 1024 / idle
            print(f"| {name} | {before / 1024:.1f} MiB | {after / 1024:.1f} MiB | {each:,.0f} bytes |")
            for client in clients:
                client.close()


def resident(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def ask(port):
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.recv(4096).startswith(b"HTTP/1.1 200")
    return client


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--only", choices=["throughput", "reload", "memory"])
    parser.add_argument("--servers", default="ours,bare_hyper,axum_serve,actix,nginx")
    arguments = parser.parse_args()
    arguments.servers = arguments.servers.split(",")
    build = ["cargo", "build", "--release", "--quiet", "--manifest-path", HERE / "Cargo.toml"]
    subprocess.run(build, check=True, env={**os.environ, "CARGO_TARGET_DIR": str(TARGET)})
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        # nginx's workers may be another user's.
        folder.chmod(0o755)
        pair = [str(folder / "cert.pem"), str(folder / "key.pem")]
        make = "req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=127.0.0.1"
        run("openssl", *make.split(), "-out", pair[0], "-keyout", pair[1])
        for part in (throughput, reload, memory):
            if arguments.only in (None, part.__name__):
                part(arguments, folder, pair)


if __name__ == "__main__":
    main()
