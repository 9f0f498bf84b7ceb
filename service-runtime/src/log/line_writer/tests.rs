//! The writer against real pipes, and against other processes: this test program, started again.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, PipeReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::*;

const LONG: Duration = Duration::from_secs(60);
const CHILD: &str = "LINE_WRITER_CHILD";
/// Lengths around and above what a pipe takes whole.
const LENGTHS: [usize; 5] = [1, 100, 4000, 5000, 20_000];
const ROUNDS: usize = 20;

fn writer(output: impl Into<OwnedFd>, patience: Duration) -> LineWriter {
    LineWriter::with(Output::Other(output.into()), LineLock::new(), patience)
}

fn pipe(patience: Duration) -> (PipeReader, LineWriter) {
    let (reader, sender) = io::pipe().unwrap();
    (reader, writer(sender, patience))
}

/// Writes lines of every length, each filled with one letter.
fn write_many(writer: &LineWriter, letter: char) {
    for _ in 0..ROUNDS {
        for length in LENGTHS {
            let line = format!("{}\n", letter.to_string().repeat(length));
            writer.write_line(line.as_bytes());
        }
    }
}

/// Reads to the end, and checks that every line of every writer came whole.
fn check_many(reader: impl Read, letters: &str) {
    let mut seen: HashMap<(char, usize), usize> = HashMap::new();
    for line in BufReader::new(reader).lines() {
        let line = line.unwrap();
        let letter = line.chars().next().unwrap();
        assert!(line.chars().all(|other| other == letter), "a line was torn");
        *seen.entry((letter, line.len())).or_default() += 1;
    }
    let expected = letters
        .chars()
        .flat_map(|letter| LENGTHS.map(|length| ((letter, length), ROUNDS)));
    assert_eq!(seen, expected.collect());
}

/// Starts one test of this file in a process of its own, with the lock as its standard input.
fn again(test: &str, role: &str, lock: &OwnedFd) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--nocapture"])
        .arg(format!(
            "{}::{test}",
            module_path!().split_once("::").unwrap().1
        ))
        .env(CHILD, role)
        .stdin(lock.try_clone().unwrap());
    command
}

/// Returns what this process was started for, and the lock that it was given.
fn child() -> Option<(String, LineLock)> {
    let role = std::env::var(CHILD).ok()?;
    let lock = io::stdin().as_fd().try_clone_to_owned().unwrap();
    Some((role, LineLock::on(lock)))
}

/// Kills a child however its test ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_line_that_a_pipe_takes_whole_is_one_write() {
    // Each write to such a socket is a message of its own.
    let flags = SockFlag::SOCK_CLOEXEC;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).unwrap();
    let writer = writer(theirs, LONG);
    let mut reader = File::from(ours);
    let mut buffer = vec![0; 10_000];
    writer.write_line(&[b'x'; libc::PIPE_BUF]);
    assert_eq!(reader.read(&mut buffer).unwrap(), libc::PIPE_BUF);
    writer.write_line(&[b'x'; libc::PIPE_BUF + 1]);
    assert_eq!(reader.read(&mut buffer).unwrap(), libc::PIPE_BUF);
    assert_eq!(reader.read(&mut buffer).unwrap(), 1);
}

#[test]
fn lines_of_many_threads_never_tear() {
    let (reader, writer) = pipe(LONG);
    thread::scope(|scope| {
        let reading = scope.spawn(|| check_many(reader, "abcd"));
        for letter in "abcd".chars() {
            let writer = writer.clone();
            scope.spawn(move || write_many(&writer, letter));
        }
        drop(writer);
        reading.join().unwrap();
    });
}

#[cfg(workers)]
#[test]
fn lines_of_many_processes_never_tear() {
    if let Some((letter, lock)) = child() {
        let stderr = Output::Stderr(io::stderr());
        let writer = LineWriter::with(stderr, Some(lock), LONG);
        return write_many(&writer, letter.chars().next().unwrap());
    }
    let lock = LineLock::new().unwrap();
    let (reader, sender) = io::pipe().unwrap();
    let children: Vec<Killed> = ["a", "b", "c", "d"]
        .map(|letter| {
            let mut command = again("lines_of_many_processes_never_tear", letter, lock.file());
            let stderr = sender.try_clone().unwrap();
            Killed(
                command
                    .stdout(Stdio::null())
                    .stderr(stderr)
                    .spawn()
                    .unwrap(),
            )
        })
        .into();
    drop(sender);
    check_many(reader, "abcd");
    for mut child in children {
        assert!(child.0.wait().unwrap().success());
    }
}

#[cfg(workers)]
#[test]
fn a_process_that_keeps_the_lock_holds_no_line_up_for_ever() {
    if let Some((_, lock)) = child() {
        let _locked = lock.take(LONG).unwrap();
        println!("\nlocked");
        loop {
            thread::park();
        }
    }
    let lock = LineLock::new().unwrap();
    let name = "a_process_that_keeps_the_lock_holds_no_line_up_for_ever";
    let mut command = again(name, "keeper", lock.file());
    let mut keeper = Killed(command.stdout(Stdio::piped()).spawn().unwrap());
    let said = BufReader::new(keeper.0.stdout.take().unwrap());
    assert!(said.lines().any(|line| line.unwrap() == "locked"));

    let (reader, sender) = io::pipe().unwrap();
    let patience = Duration::from_millis(1);
    let writer = LineWriter::with(Output::Other(sender.into()), Some(lock), patience);
    writer.write_line(b"one\n");
    assert!(writer.0.state.lock().unwrap().lock_stands);
    drop(keeper);
    writer.write_line(b"two\n");
    assert!(
        !writer.0.state.lock().unwrap().lock_stands,
        "the lock died with its keeper"
    );
    assert_eq!(writer.lost(), 0);
    drop(writer);
    assert_eq!(io::read_to_string(reader).unwrap(), "one\ntwo\n");
}

#[test]
fn a_reader_that_is_gone_costs_the_line_and_nothing_else() {
    let (reader, writer) = pipe(LONG);
    drop(reader);
    writer.write_line(b"unheard\n");
    writer.write_line(b"unheard\n");
    assert_eq!(writer.lost(), 2);
}

#[cfg(workers)]
#[test]
fn a_full_disk_costs_the_line_and_nothing_else() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let writer = writer(full, LONG);
    writer.write_line(b"unwritten\n");
    assert_eq!(writer.lost(), 1);
}

#[test]
fn a_reader_that_stands_still_costs_lines_until_it_moves_again() {
    let (mut reader, writer) = pipe(Duration::from_millis(1));
    // More than a pipe holds: the end is lost, and the beginning stands without a line's end.
    writer.write_line(&[b'x'; 1 << 20]);
    assert_eq!(writer.lost(), 1);
    writer.write_line(b"lost\n");
    assert_eq!(writer.lost(), 2);
    assert!(writer.0.state.lock().unwrap().reader_stands);

    let mut buffer = vec![0; 1 << 20];
    let begun = reader.read(&mut buffer).unwrap();
    assert!(buffer[..begun].iter().all(|byte| *byte == b'x'));
    writer.write_line(b"heard\n");
    assert_eq!(writer.lost(), 2);
    drop(writer);
    let rest = io::read_to_string(reader).unwrap();
    assert_eq!(rest.trim_start_matches('x'), "\nheard\n");
}

#[cfg(workers)]
#[test]
fn a_line_that_another_process_left_in_the_middle_is_ended_first() {
    let (mut reader, sender) = io::pipe().unwrap();
    let lock = LineLock::new().unwrap();
    let same = LineLock::on(lock.file().try_clone().unwrap());
    let [cutter, other] = [lock, same].map(|lock| {
        let output = Output::Other(sender.try_clone().unwrap().into());
        LineWriter::with(output, Some(lock), Duration::from_millis(1))
    });
    drop(sender);
    cutter.write_line(&[b'x'; 1 << 20]);
    assert_eq!(cutter.lost(), 1);
    let mut buffer = vec![0; 1 << 20];
    let begun = reader.read(&mut buffer).unwrap();
    assert!(buffer[..begun].iter().all(|byte| *byte == b'x'));
    other.write_line(b"heard\n");
    cutter.write_line(b"again\n");
    drop((cutter, other));
    let rest = io::read_to_string(reader).unwrap();
    assert_eq!(rest.trim_start_matches('x'), "\nheard\nagain\n");
}

#[test]
fn a_file_gets_every_line_at_its_end() {
    let path = std::env::temp_dir().join(format!("line-writer-{}", std::process::id()));
    let open = || {
        File::options()
            .append(true)
            .create(true)
            .open(&path)
            .unwrap()
    };
    let (one, two) = (writer(open(), LONG), writer(open(), LONG));
    assert!(one.0.is_file());
    let long = format!("{}\n", "y".repeat(10_000));
    one.write_line(b"one\n");
    two.write_line(long.as_bytes());
    one.write_line(b"three\n");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(text, format!("one\n{long}three\n"));
}
