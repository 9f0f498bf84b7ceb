//! A server of NATS for one test, on a port of its own.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::harness::{Scratch, kill, until};

/// It ends with the test.
pub(crate) struct Broker {
    child: Child,
    port: u16,
    config: PathBuf,
    folder: PathBuf,
}

impl Broker {
    /// Starts one; `None`, with a line that says so, if none is installed.
    pub(crate) fn start(scratch: &Scratch) -> Option<Self> {
        Self::start_with(scratch, "")
    }

    /// Starts one with more lines of configuration.
    pub(crate) fn start_with(scratch: &Scratch, more: &str) -> Option<Self> {
        if Command::new("nats-server")
            .arg("--version")
            .output()
            .is_err()
        {
            println!("skipped: nats-server is not installed (Debian: nats-server)");
            return None;
        }
        let folder = scratch.path("nats");
        fs::create_dir(&folder).unwrap();
        // The largest message of `[rpc]` fits, with what stands around it.
        let text = format!(
            "max_payload: 33554432\nmax_pending: 67108864\nports_file_dir: \"{}\"\n{more}\n",
            folder.display()
        );
        let config = scratch.write("nats.conf", &text);
        let child = spawn(&config, 0);
        let mut broker = Self {
            child,
            port: 0,
            config,
            folder,
        };
        broker.port = broker.written_port();
        Some(broker)
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal);
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again after a kill.
    pub(crate) fn again(&mut self) {
        self.child = spawn(&self.config, self.port);
        assert_eq!(self.written_port(), self.port);
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// Waits for the file in which it writes where it listens.
    fn written_port(&self) -> u16 {
        let file = format!("nats-server_{}.ports", self.child.id());
        let file = self.folder.join(file);
        let port = || {
            let text = fs::read_to_string(&file).ok()?;
            let rest = text.split("nats://").nth(1)?;
            let address = rest.split('"').next()?;
            address.rsplit(':').next()?.parse().ok()
        };
        until("the broker listens", || port().is_some());
        port().unwrap()
    }
}

fn spawn(config: &PathBuf, port: u16) -> Child {
    let port = if port == 0 {
        "-1".to_owned()
    } else {
        port.to_string()
    };
    let mut command = Command::new("nats-server");
    command
        .arg("--config")
        .arg(config)
        .args(["--addr", "127.0.0.1", "--port", &port]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().unwrap()
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
