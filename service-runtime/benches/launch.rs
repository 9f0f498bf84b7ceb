//! What a launch costs beside a bare fork loop: start, respawn, stop and memory, with 4 workers.
//!
//! Two programs take turns, built with the same profile: `programs/echo.rs` on this framework,
//! everything left at its default, and `programs/bare.rs`, a fork loop of a hundred lines. Ready is
//! seen the same way in both: a worker writes a line with its pid to standard output, a pipe to
//! this process, just before it first accepts. Printed are medians, the first and last decile, and
//! the ratio of the medians, where 1.5 is the aim for times.
//!
//! Run with: `cargo bench -p service-runtime --bench launch [-- ROUNDS]`

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const ROUNDS: usize = 60;
const WORKERS: usize = 4;

type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

fn main() -> Result {
    let rounds = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(ROUNDS);
    let [bare, echo] = build(["bench-bare", "bench-echo"])?;
    // Not counted: the first run of a program reads it from disk.
    round(&bare)?;
    round(&echo)?;
    let mut bare_rounds = Vec::new();
    let mut echo_rounds = Vec::new();
    for _ in 0..rounds {
        bare_rounds.push(round(&bare)?);
        echo_rounds.push(round(&echo)?);
    }
    println!("{WORKERS} workers, {rounds} rounds by turns: median (first to last decile)\n");
    println!(
        "{:<28}{:>26}{:>26}{:>8}",
        "", "bare fork loop", "service-runtime", "ratio"
    );
    let row = |what: &str, unit: &str, figure: fn(&Round) -> Vec<f64>| {
        let bare = Figures::new(bare_rounds.iter().flat_map(figure).collect());
        let echo = Figures::new(echo_rounds.iter().flat_map(figure).collect());
        let ratio = echo.median / bare.median;
        println!(
            "{what:<28}{:>26}{:>26}{ratio:>8.2}",
            bare.show(unit),
            echo.show(unit)
        );
    };
    row("start to all ready", "ms", |round| {
        vec![millis(round.start)]
    });
    row("respawn after KILL", "ms", |round| {
        round.respawns.iter().copied().map(millis).collect()
    });
    row("TERM to exit", "ms", |round| vec![millis(round.stop)]);
    row("PSS of a worker", "MiB", |round| round.workers.clone());
    row("PSS of the supervisor", "MiB", |round| {
        vec![round.supervisor]
    });
    Ok(())
}

/// What one run of a program showed.
struct Round {
    start: Duration,
    respawns: Vec<Duration>,
    stop: Duration,
    workers: Vec<f64>,
    supervisor: f64,
}

/// Starts a program, kills each of its first workers once, and stops it.
///
/// One kill a slot, for a second one in a row would be answered by a delay that is meant.
fn round(program: &Path) -> Result<Round> {
    let started = Instant::now();
    let mut running = Running::start(program)?;
    let mut first = Vec::new();
    for _ in 0..WORKERS {
        first.push(running.next_ready()?);
    }
    let start = started.elapsed();
    let supervisor = pss(running.supervisor())?;
    let workers = first
        .iter()
        .map(|ready| pss(ready.pid))
        .collect::<Result<_>>()?;
    for ready in &first {
        ready.try_out()?;
    }
    let mut respawns = Vec::new();
    for ready in &first {
        let killed = Instant::now();
        kill(ready.pid, Signal::SIGKILL)?;
        running.next_ready()?;
        respawns.push(killed.elapsed());
    }
    let told = Instant::now();
    kill(running.supervisor(), Signal::SIGTERM)?;
    let status = running.child.wait()?;
    let stop = told.elapsed();
    if !status.success() {
        return Err(format!("{} ended with {status}", program.display()).into());
    }
    Ok(Round {
        start,
        respawns,
        stop,
        workers,
        supervisor,
    })
}

/// A program under measurement; killed when dropped.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

/// What a worker says of itself when it is ready.
struct Ready {
    pid: Pid,
    address: String,
}

impl Running {
    fn start(program: &Path) -> Result<Self> {
        // Nobody reads the log, but it is written: a reader would take processor time of its own.
        let mut child = Command::new(program)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("standard output is a pipe")?);
        Ok(Self { child, lines })
    }

    fn supervisor(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    fn next_ready(&mut self) -> Result<Ready> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        let (pid, address) = line
            .trim_end()
            .split_once(' ')
            .ok_or("the program ended early")?;
        let pid = Pid::from_raw(pid.parse()?);
        let address = address.to_owned();
        Ok(Ready { pid, address })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After a round it has been waited for, and both do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ready {
    /// Lets whichever worker accepts send a few bytes back.
    fn try_out(&self) -> Result {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.write_all(b"hello")?;
        let mut echoed = [0; 5];
        stream.read_exact(&mut echoed)?;
        if echoed != *b"hello" {
            return Err("the echo is another".into());
        }
        Ok(())
    }
}

/// Returns the proportional share of memory of a process, in MiB.
fn pss(pid: Pid) -> Result<f64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let kilobytes: f64 = rollup
        .lines()
        .find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB"))
        .ok_or("smaps_rollup has no Pss")?
        .parse()?;
    Ok(kilobytes / 1024.0)
}

/// Builds examples of this package as a release, and returns where they are.
fn build<const N: usize>(names: [&str; N]) -> Result<[PathBuf; N]> {
    let mut command = Command::new(env!("CARGO"));
    command
        .args([
            "build",
            "--release",
            "--message-format=json-render-diagnostics",
        ])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ]);
    for name in names {
        command.args(["--example", name]);
    }
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("the programs cannot be built".into());
    }
    let mut paths = [const { None }; N];
    for line in output.stdout.split(|byte| *byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<serde_json::Value>(line) else {
            continue;
        };
        let place = names
            .iter()
            .position(|name| message["target"]["name"] == *name);
        if let (Some(place), Some(path)) = (place, message["executable"].as_str()) {
            paths[place] = Some(PathBuf::from(path));
        }
    }
    match paths.iter().position(Option::is_none) {
        None => Ok(paths.map(Option::unwrap_or_default)),
        Some(missing) => Err(format!("cargo built no {}", names[missing]).into()),
    }
}

/// A series of measurements, in order.
struct Figures {
    low: f64,
    median: f64,
    high: f64,
}

impl Figures {
    fn new(mut series: Vec<f64>) -> Self {
        series.sort_by(f64::total_cmp);
        let at = |tenths: usize| series[(series.len() - 1) * tenths / 10];
        Self {
            low: at(1),
            median: at(5),
            high: at(9),
        }
    }

    fn show(&self, unit: &str) -> String {
        let Self { low, median, high } = self;
        format!("{median:.2} {unit} ({low:.2} to {high:.2})")
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
