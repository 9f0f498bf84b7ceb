//! The reference: a pre-forking echo server as small as it can be, without a framework.
//!
//! It binds, forks four children that accept in a blocking loop, replaces a child that dies, and on
//! TERM kills its children, waits for them and exits. Each child says its pid and the address in a
//! line on standard output, just before it first accepts.
#![expect(
    unsafe_code,
    reason = "fork is unsafe; this program has one thread for all its life"
)]

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid};

const WORKERS: usize = 4;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGCHLD);
    signals.add(Signal::SIGTERM);
    signals.thread_block()?;
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        workers.push(spawn(&listener)?);
    }
    loop {
        match signals.wait()? {
            Signal::SIGTERM => break,
            _ => replace(&mut workers, &listener)?,
        }
    }
    for worker in &workers {
        kill(*worker, Signal::SIGTERM)?;
    }
    for worker in workers {
        waitpid(worker, None)?;
    }
    Ok(())
}

fn replace(workers: &mut [Pid], listener: &TcpListener) -> io::Result<()> {
    loop {
        let ended = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(()),
            Ok(status) => status.pid(),
            Err(error) => return Err(error.into()),
        };
        for worker in workers.iter_mut().filter(|worker| Some(**worker) == ended) {
            *worker = spawn(listener)?;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the reference forks by itself")]
fn spawn(listener: &TcpListener) -> io::Result<Pid> {
    // SAFETY: no function of this program starts a thread, so the child inherits no held lock.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            SigSet::empty().thread_set_mask()?;
            serve(listener)
        }
    }
}

fn serve(listener: &TcpListener) -> ! {
    let line = format!(
        "{} {}\n",
        std::process::id(),
        listener
            .local_addr()
            .expect("a bound socket has an address")
    );
    io::stdout()
        .write_all(line.as_bytes())
        .expect("the bench reads what this program says");
    loop {
        if let Ok((stream, _)) = listener.accept() {
            // A client that goes away ends its connection and nothing else.
            let _ = echo(stream);
        }
    }
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut bytes = [0; 4096];
    loop {
        let length = stream.read(&mut bytes)?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&bytes[..length])?;
    }
}
