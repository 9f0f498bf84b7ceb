//! Which instance is asked: by flag, by configuration, by the directories in which sockets are.

use std::fs::{self, File};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::Pid;

use super::Failure;
use super::arguments::Invocation;
use crate::config::ConfigErrors;
use crate::exit::Exit;
use crate::settings::configuration::Configuration;
use crate::settings::control_socket::candidates;
use crate::settings::options::LaunchOptions;
use crate::settings::{Admin, Settings};

/// Finds the control socket of the one instance that runs.
pub(super) fn socket(options: &LaunchOptions, invocation: &Invocation) -> Result<PathBuf, Failure> {
    if let Some(path) = &invocation.socket {
        return Ok(path.clone());
    }
    let settings = settings(options, invocation)
        .map_err(|error| Failure::new(Exit::Config, error.to_string()))?;
    let mut found = candidates(&settings.admin, &options.program);
    if matches!(settings.admin, Admin::Auto) {
        found.retain(|path| is_listening(path));
    }
    match &*found {
        [] => Err(none(&settings)),
        [one] => Ok(one.clone()),
        several => {
            let list = several.iter().map(|path| format!("\n  {}", path.display()));
            let text = format!(
                "several instances run, name one with `--socket`:{}",
                list.collect::<String>()
            );
            Err(Failure::new(Exit::Usage, text))
        }
    }
}

/// Finds a running instance by its pid file, unless another was named.
pub(super) fn pid(options: &LaunchOptions, invocation: &Invocation) -> Option<Pid> {
    if invocation.socket.is_some() {
        return None;
    }
    let settings = settings(options, invocation).ok()?;
    let pid: i32 = running(settings.pid_file.as_deref()?)?.parse().ok()?;
    (pid > 0).then(|| Pid::from_raw(pid))
}

/// Reads the table `[launch]` as a start would.
fn settings(options: &LaunchOptions, invocation: &Invocation) -> Result<Settings, ConfigErrors> {
    Configuration::new(options)
        .of_files(&invocation.files, &invocation.dirs, &invocation.sets)
        .launch_settings()
}

/// Says why there is nobody to ask.
fn none(settings: &Settings) -> Failure {
    let pid = settings.pid_file.as_deref().and_then(running);
    let text = match (pid, &settings.admin) {
        (Some(pid), _) => format!(
            "pid {pid} runs without a control socket: a program with workers has one with `admin` in `[launch]`; \
             signals reach it all the same"
        ),
        (None, Admin::Off) => "`admin` is \"off\": there is no control socket to ask".to_owned(),
        (None, _) => {
            "not running, or without a control socket: none is found in $RUNTIME_DIRECTORY, \
                      $XDG_RUNTIME_DIR, /run or /run/user; `--socket` names one"
                .to_owned()
        }
    };
    Failure::new(Exit::NotRunning, text)
}

/// Returns whether somebody listens, whom this user may not ask perhaps.
fn is_listening(path: &Path) -> bool {
    match UnixStream::connect(path) {
        Ok(_) => true,
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

/// Returns the pid in a pid file that a running program has locked.
fn running(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let file = File::open(path).ok()?;
    // Held for this moment only if nobody else holds it.
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Err((_, Errno::EWOULDBLOCK)) => Some(text.trim().to_owned()),
        _ => None,
    }
}
