//! A PostgreSQL of the tests' own: on a unix socket in a folder of its own, gone with the test process.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// Starts the server, tells its pid, and stops it when standard input ends; then the folder goes.
const SCRIPT: &str = r#"
set -e
bin=$1 dir=$2
cd "$dir"
"$bin/initdb" -D "$dir/data" -A trust -U tests -N >"$dir/initdb.log" 2>&1
"$bin/postgres" -D "$dir/data" -k "$dir" -h "" -F -c max_connections=200 >"$dir/log" 2>&1 </dev/null &
until "$bin/pg_isready" -q -h "$dir" -U tests; do kill -0 $! && sleep 0.05; done
echo ready
cat >/dev/null
kill -INT $!
wait $! || true
rm -rf "$dir"
"#;

/// The server of this process.
struct Server {
    dir: PathBuf,
    bin: PathBuf,
    /// It runs for as long as its standard input is open.
    _running: Child,
}

/// Returns the address of a new, empty database; none, with a line that says so, where there is no PostgreSQL.
pub(super) fn database(name: &str) -> Option<String> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let Some(server) = SERVER.get_or_init(start) else {
        eprintln!("skipped for PostgreSQL, which is not installed: {name}");
        return None;
    };
    let dir = server.dir.display();
    let created = Command::new(server.bin.join("psql"))
        .args(["-q", "-U", "tests", "-d", "postgres", "-h"])
        .arg(&server.dir)
        .arg("-c")
        .arg(format!("CREATE DATABASE {name}"))
        .status();
    assert!(created.unwrap().success(), "{name} cannot be created");
    Some(format!("postgres:///{name}?host={dir}&user=tests"))
}

fn start() -> Option<Server> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let bin = versions.map(|version| version.path().join("bin")).max()?;
    let dir = std::env::temp_dir().join(format!("service-runtime-pg-{}", std::process::id()));
    fs::create_dir(&dir).unwrap();
    // The server refuses to run as root.
    let mut command = if nix::unistd::geteuid().is_root() {
        let user = nix::unistd::User::from_name("postgres").unwrap()?;
        let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
        std::os::unix::fs::chown(&dir, Some(uid), Some(gid)).unwrap();
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
            "sh",
        ]);
        command
    } else {
        Command::new("sh")
    };
    let started = command
        .args(["-c", SCRIPT, "sh"])
        .args([&bin, &dir])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = started.unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let log = || fs::read_to_string(dir.join("log")).unwrap_or_default();
    assert_eq!(line, "ready\n", "PostgreSQL does not start: {}", log());
    Some(Server {
        dir,
        bin,
        _running: child,
    })
}
