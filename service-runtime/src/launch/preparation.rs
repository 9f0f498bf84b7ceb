//! What every launch does first: command line, configuration, log, what the service manager passed.

use std::fmt::Display;
use std::sync::Arc;

use crate::error_chain::chain;
use crate::exit::Exit;
use crate::launch::once;
use crate::listen::Listeners;
use crate::metrics::InheritedMetrics;
use crate::notify::Notifier;
use crate::os::process::environment;
use crate::privileges::Privileges;
use crate::privileges::pid_file::PidFile;
use crate::runner::main_fn::Main;
#[cfg(feature = "cli")]
use crate::runner::selection;
#[cfg(feature = "cli")]
use crate::service::registry;
use crate::settings::Flags;
use crate::settings::configuration::{Configuration, Loaded};
use crate::settings::logging::Logging;
use crate::settings::options::{LaunchOptions, Preload};
use crate::status::ProgramInfo;
use crate::upgrade::takeover::{self, Takeover};

/// A launch that is ready to be carried out.
pub(crate) struct Prepared {
    pub(crate) info: ProgramInfo,
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) loaded: Loaded,
    pub(crate) flags: Flags,
    pub(crate) only: Vec<String>,
    pub(crate) logging: Logging,
    pub(crate) preload: Option<Preload>,
    pub(crate) listeners: Listeners,
    pub(crate) notifier: Notifier,
    pub(crate) privileges: Privileges,
    /// Removed when this is dropped by the process that made it.
    pub(crate) pid_file: Option<PidFile>,
    pub(crate) takeover: Takeover,
    /// What the process that this one is to replace has counted.
    pub(crate) metrics: Option<InheritedMetrics>,
}

impl Prepared {
    /// Runs the author's `preload` function, if there is one.
    ///
    /// # Errors
    ///
    /// Returns the exit if it fails; the log says why.
    pub(crate) fn run_preload(&self) -> Result<(), Exit> {
        let Some(preload) = &self.preload else {
            return Ok(());
        };
        preload().map_err(|error| {
            tracing::error!("the `preload` function failed: {error:#}");
            Exit::Failed
        })
    }
}

/// Prepares a launch, or returns the exit if there is nothing to launch.
///
/// No thread is started and no runtime built: a supervisor may come of this process, as `supervises` tells,
/// and then no type of the author's is read here.
pub(crate) fn prepare<M, F: Main<M>>(
    options: &LaunchOptions,
    supervises: fn(&Loaded) -> bool,
) -> Result<Prepared, Exit> {
    #[cfg(all(feature = "control", workers))]
    if let Some(exit) = crate::control::ctl::run_if_asked(options, F::flags) {
        return Err(exit);
    }
    let takeover = Takeover::of_this_process();
    let program = &options.program;
    let info = ProgramInfo::new(options);
    let refuse = |exit: Exit, error: &dyn Display| {
        let error = error.to_string();
        takeover.failed(&error);
        exit.say(program, error)
    };
    once::take().map_err(|error| refuse(Exit::Failed, &error))?;
    let (flags, only, mut configuration) = command_line::<M, F>(options, &refuse)?;
    let loaded = configuration
        .load_for(supervises)
        .map_err(|error| refuse(Exit::Config, &error))?;
    let privileges = loaded
        .privileges()
        .map_err(|error| refuse(Exit::Config, &error))?;
    if privileges.directory().is_some() {
        configuration.anchor();
    }
    let logging = Logging::new(&loaded.settings).map_err(|error| refuse(Exit::Config, &error))?;
    let mut listeners =
        Listeners::from_env().map_err(|error| refuse(Exit::Failed, &chain(&error)))?;
    let inherited = takeover
        .inherit(&mut listeners)
        .map_err(|error| refuse(Exit::Failed, &error))?;
    let notifier = Notifier::from_env();
    if takeover.has_predecessor() {
        notifier.mute();
    }
    environment::remove(
        crate::listen::VARIABLES
            .into_iter()
            .chain(crate::notify::VARIABLES)
            .chain(takeover::VARIABLES),
    );
    let pid_file = loaded.settings.pid_file.as_deref();
    let pid_file = pid_file
        .map(|path| PidFile::of(path, inherited.pid_file))
        .transpose()
        .map_err(|error| refuse(Exit::Failed, &chain(&error)))?;
    // What was passed and what is logged to is open by now; the rest is opened as whom the program
    // becomes here.
    privileges
        .take()
        .map_err(|error| refuse(Exit::Failed, &error))?;
    {
        let _scoped = logging.scoped();
        loaded.log_options();
        warn_of_rights(&privileges, &configuration, &loaded);
    }
    Ok(Prepared {
        info,
        configuration: Arc::new(configuration),
        loaded,
        flags,
        only,
        logging,
        preload: options.preload.clone(),
        listeners,
        notifier,
        privileges,
        pid_file,
        takeover,
        metrics: inherited.metrics,
    })
}

/// Warns of what this process could do before it gave rights up, and cannot any more.
fn warn_of_rights(privileges: &Privileges, configuration: &Configuration, loaded: &Loaded) {
    if !privileges.is_dropped() {
        return;
    }
    configuration.warn_of_unreadable();
    let pid_file = loaded.settings.pid_file.as_deref();
    if let Some(error) = pid_file.and_then(|path| PidFile::is_kept_from(path, privileges)) {
        tracing::warn!("{error}");
    }
}

#[cfg(not(feature = "cli"))]
#[expect(
    clippy::extra_unused_type_parameters,
    reason = "with the feature `cli` it asks `F` for its flags"
)]
fn command_line<M, F: Main<M>>(
    options: &LaunchOptions,
    _refuse: &dyn Fn(Exit, &dyn Display) -> Exit,
) -> Result<(Flags, Vec<String>, Configuration), Exit> {
    Ok((Flags::default(), Vec::new(), Configuration::new(options)))
}

#[cfg(feature = "cli")]
fn command_line<M, F: Main<M>>(
    options: &LaunchOptions,
    refuse: &dyn Fn(Exit, &dyn Display) -> Exit,
) -> Result<(Flags, Vec<String>, Configuration), Exit> {
    use std::io::Write;

    use crate::settings::command_line::{self, Task};
    use crate::settings::sample_unit::sample_unit;

    let line = command_line::read(options, F::flags).map_err(|error| {
        // Help and version go to standard output, mistakes to standard error; either may be closed.
        let _ = error.print();
        if error.use_stderr() {
            Exit::Usage
        } else {
            Exit::Done
        }
    })?;
    let task = line.task;
    let configuration = Configuration::new(options).with(&line);
    let wrong = |error: crate::config::ConfigErrors| refuse(Exit::Config, &error);
    let text = match task {
        Task::Run => {
            check_only::<F::Output>(&line.only).map_err(|error| refuse(Exit::Usage, &error))?;
            return Ok((Flags::of(line.matches), line.only, configuration));
        }
        Task::SampleConfig => configuration.sample(),
        Task::ConfigSchema => configuration.schema(&options.program),
        Task::SampleUnit => {
            let loaded = configuration.load().map_err(wrong)?;
            let file = std::env::current_exe().unwrap_or_else(|_| options.program.clone().into());
            let words = std::env::args_os().skip(1);
            let words = words.map(|word| word.to_string_lossy().into_owned());
            sample_unit(&options.program, &file.to_string_lossy(), words, &loaded)
        }
        Task::PrintConfig => configuration.load().map_err(wrong)?.print(),
        Task::CheckConfig => {
            let loaded = configuration
                .load()
                .and_then(Loaded::checked)
                .map_err(wrong)?;
            // What a start would refuse beyond the tables.
            check_only::<F::Output>(&line.only).map_err(|error| refuse(Exit::Usage, &error))?;
            let logging =
                Logging::new(&loaded.settings).map_err(|error| refuse(Exit::Config, &error))?;
            if let Some(path) = &loaded.settings.pid_file {
                PidFile::check(path).map_err(|error| refuse(Exit::Failed, &chain(&error)))?;
            }
            let _scoped = logging.scoped();
            open_as_user(&configuration, &loaded, refuse)?;
            "the configuration is right\n".to_owned()
        }
    };
    let mut out = std::io::stdout();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| refuse(Exit::Failed, &format!("cannot write the answer: {error}")))?;
    Err(Exit::Done)
}

/// Opens what services open when they start, as the user that they start as.
#[cfg(feature = "cli")]
fn open_as_user(
    configuration: &Configuration,
    loaded: &Loaded,
    refuse: &dyn Fn(Exit, &dyn Display) -> Exit,
) -> Result<(), Exit> {
    let wrong = |error: crate::config::ConfigErrors| refuse(Exit::Config, &error);
    let privileges = loaded.privileges().map_err(wrong)?;
    // Who is not root asks for itself, and cannot become the user.
    if nix::unistd::geteuid().is_root() {
        privileges
            .take()
            .map_err(|error| refuse(Exit::Failed, &error))?;
        warn_of_rights(&privileges, configuration, loaded);
    }
    loaded.open_files().map_err(wrong)
}

/// Refuses names of `--only` that no service has, as far as that can be known before `main` runs.
#[cfg(feature = "cli")]
fn check_only<S>(only: &[String]) -> Result<(), String> {
    match registry::names_in::<S>() {
        Some(known) => selection::check(only, &known),
        None => Ok(()),
    }
}
