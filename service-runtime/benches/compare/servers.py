"""How each server is started, and which of them can be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
VENV = ROOT / "target" / "compare-venv"
PACKAGES = ["gunicorn", "uwsgi", "oslo.service", "eventlet"]


def install(offline):
    """Installs what is missing, as far as this machine lets it."""
    if offline:
        return
    if not shutil.which("nginx") and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["apt-get", "install", "-y", "-qq", "nginx-light"], **quiet)
    for package in PACKAGES:
        if not (VENV / "bin").exists():
            subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        pip = [str(VENV / "bin" / "pip"), "install", "--quiet", package]
        if subprocess.run(pip).returncode != 0:
            print(f"{package} cannot be installed: going on without", file=sys.stderr)


def build():
    """Builds the program of this repository, and returns where it is."""
    command = ["cargo", "build", "--release", "-p", "service-runtime", "--features", "http"]
    subprocess.run(command + ["--example", "bench-web"], check=True, cwd=ROOT)
    return ROOT / "target" / "release" / "examples" / "bench-web"


def nginx_conf(scratch, workers, port):
    conf = scratch / "nginx.conf"
    conf.write_text(
        f"""daemon off; pid {scratch}/nginx.pid; worker_processes {workers};
        error_log {scratch}/error.log warn;
        events {{ worker_connections 512; }}
        http {{ access_log off; keepalive_timeout 0;
            server {{ listen 127.0.0.1:{port} backlog=1024;
                location / {{ return 200 "$pid"; }} }} }}"""
    )
    return conf


def commands(scratch, ours):
    """Returns for each server that is here what starts it with so many workers on a port."""
    bin = VENV / "bin"
    known = {
        "service-runtime": (
            ours,
            lambda n, port, *more: [ours, "--workers", n, "--set", f"web.bind=127.0.0.1:{port}", *more],
        ),
        "nginx": (
            shutil.which("nginx"),
            lambda n, port: ["nginx", "-p", scratch, "-c", nginx_conf(scratch, n, port)],
        ),
        "uwsgi": (
            bin / "uwsgi",
            lambda n, port: [bin / "uwsgi", "--http-socket", f"127.0.0.1:{port}", "--master", "--processes", n]
            + ["--wsgi-file", HERE / "app.py", "--die-on-term", "--need-app", "--disable-logging", "--listen", "1024"],
        ),
        "gunicorn": (
            bin / "gunicorn",
            lambda n, port: [bin / "gunicorn", "-w", n, "-b", f"127.0.0.1:{port}", "--chdir", HERE, "app:app"],
        ),
        "oslo.service": (
            (VENV / "lib").exists() and any(VENV.glob("lib/*/site-packages/oslo_service")) and bin / "python",
            lambda n, port: [bin / "python", HERE / "oslo_app.py", n, port],
        ),
    }
    found = {}
    for name, (program, command) in known.items():
        if program and Path(program).exists():
            found[name] = command
        else:
            print(f"{name} is not here: skipped", file=sys.stderr)
    return found
