//! The subscriber that a launched program gets.

use std::io::{self, IsTerminal};

use tracing::dispatcher::{self, DefaultGuard};
use tracing::{Dispatch, Subscriber};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::format::{DefaultFields, JsonFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Registry, reload};

use super::filter::{self, LogError};
#[cfg(feature = "http")]
use super::late_span::{self, LateSpans};
use super::layer::{self, lines};
use super::render::{JsonLine, Text};
use super::{LineWriter, LogFormat};

/// A subscriber, made in the supervisor and used on both sides of a fork.
#[derive(Debug)]
pub(crate) struct Log {
    dispatch: Dispatch,
    level: reload::Handle<EnvFilter, Registry>,
    writer: LineWriter,
}

impl Log {
    /// Builds a subscriber that writes to standard error; `RUST_LOG` wins over `level`.
    ///
    /// Nothing receives events before [`set_scoped`](Self::set_scoped) or
    /// [`set_global`](Self::set_global).
    pub(crate) fn new(format: LogFormat, level: &str) -> Result<Self, LogError> {
        let variable = std::env::var_os(filter::VARIABLE);
        let filter = filter::choose(variable.as_deref(), level)?;
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = io::stderr().is_terminal() && !no_colour;
        let writer = LineWriter::new();
        layer::tell(format, level, colour, &writer);
        Ok(Self::build(format, filter, colour, writer))
    }

    /// Builds a subscriber from parts that were chosen already.
    fn build(format: LogFormat, filter: EnvFilter, colour: bool, writer: LineWriter) -> Self {
        super::format::writes(format);
        let (filter, level) = reload::Layer::new(filter);
        let filtered = tracing_subscriber::registry().with(filter);
        let dispatch = match format {
            LogFormat::Text => {
                // What is coloured, the format colours: escapes in values are none of its own.
                let layer = lines(&writer)
                    .with_ansi(false)
                    .fmt_fields(DefaultFields::new());
                dispatch_of(filtered.with(layer.event_format(Text::new(colour))))
            }
            LogFormat::Json => {
                let layer = lines(&writer)
                    .with_ansi(false)
                    .fmt_fields(JsonFields::new());
                dispatch_of(filtered.with(layer.event_format(JsonLine::new())))
            }
        };
        Self {
            dispatch,
            level,
            writer,
        }
    }

    /// Returns the subscriber itself.
    pub(crate) fn dispatch(&self) -> Dispatch {
        self.dispatch.clone()
    }

    /// Receives the events of this thread until the guard is dropped.
    ///
    /// For the supervisor. A worker drops the guard that it inherited, or an author's own
    /// subscriber would not be heard on the main thread.
    pub(crate) fn set_scoped(&self) -> DefaultGuard {
        dispatcher::set_default(&self.dispatch)
    }

    /// Receives all events of this process, unless the author installed a subscriber before.
    ///
    /// Returns whether it does.
    pub(crate) fn set_global(&self) -> bool {
        let is_ours = dispatcher::set_global_default(self.dispatch()).is_ok();
        #[cfg(feature = "http")]
        if is_ours {
            late_span::are_made_here();
        }
        is_ours
    }

    /// Changes in this process what is logged from now on; `RUST_LOG` is not asked again.
    pub(crate) fn set_level(&self, level: &str) -> Result<(), LogError> {
        let filter = filter::from_setting(level)?;
        layer::follow(level);
        self.level
            .reload(filter)
            .expect("the subscriber lives as long as this does");
        Ok(())
    }

    /// Returns how many lines nobody took.
    pub(crate) fn lost(&self) -> u64 {
        self.writer.lost()
    }
}

/// Makes a subscriber the one that makes the spans of requests when they are needed.
fn dispatch_of(subscriber: impl Subscriber + Send + Sync) -> Dispatch {
    #[cfg(feature = "http")]
    let subscriber = LateSpans::new(subscriber);
    Dispatch::new(subscriber)
}

#[cfg(test)]
mod tests {
    use std::io::PipeReader;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use serde_json::Value;

    use super::super::identity::{Identity, identify};
    use super::*;

    /// The process's identity is one for all tests.
    static IDENTITY: Mutex<()> = Mutex::new(());

    struct Captured {
        log: Log,
        reader: PipeReader,
        _identity: MutexGuard<'static, ()>,
    }

    impl Captured {
        fn new(format: LogFormat, level: &str, colour: bool) -> Self {
            let identity = IDENTITY.lock().unwrap_or_else(PoisonError::into_inner);
            identify(Identity::Alone);
            let (reader, sender) = io::pipe().unwrap();
            let filter = filter::from_setting(level).unwrap();
            Self {
                log: Log::build(format, filter, colour, LineWriter::to(sender)),
                reader,
                _identity: identity,
            }
        }

        /// Runs with the subscriber in place.
        fn during<T>(&self, run: impl FnOnce() -> T) -> T {
            let _guard = self.log.set_scoped();
            run()
        }

        /// Returns all lines that were written.
        fn lines(self) -> Vec<String> {
            drop(self.log);
            let text = io::read_to_string(self.reader).unwrap();
            text.lines().map(str::to_owned).collect()
        }
    }

    fn hello() {
        tracing::info!(target: "hello", field = "value", "message");
    }

    #[test]
    fn a_text_line_has_time_level_process_target_message_and_fields() {
        let captured = Captured::new(LogFormat::Text, "info", false);
        captured.during(|| {
            for identity in [Identity::Worker(3), Identity::Supervisor, Identity::Alone] {
                identify(identity);
                hello();
            }
        });
        let pid = std::process::id();
        let expected = [
            format!("  INFO slot=3 pid={pid} hello: message field=\"value\""),
            format!("  INFO supervisor pid={pid} hello: message field=\"value\""),
            format!("  INFO pid={pid} hello: message field=\"value\""),
        ];
        let lines = captured.lines();
        assert_eq!(lines.len(), expected.len());
        for (line, expected) in lines.iter().zip(expected) {
            let (time, rest) = line.split_at("2026-11-22T14:48:11.123456Z".len());
            assert!(humantime::parse_rfc3339(time).is_ok(), "{time}");
            assert_eq!(rest, expected);
        }
    }

    #[test]
    fn a_text_line_names_the_spans_that_it_is_in() {
        let captured = Captured::new(LogFormat::Text, "info", false);
        captured.during(|| tracing::info_span!("run", service = "greeter").in_scope(hello));
        let lines = captured.lines();
        assert!(
            lines[0].contains("hello: run{service=\"greeter\"}: message"),
            "{lines:?}"
        );
    }

    #[test]
    fn a_json_line_is_one_object_with_everything_in_it() {
        let captured = Captured::new(LogFormat::Json, "info", false);
        captured.during(|| {
            identify(Identity::Worker(3));
            let span = tracing::info_span!("run", service = "greeter");
            span.in_scope(|| tracing::warn!(target: "hello", slot = "own", "two\nlines"));
            identify(Identity::Supervisor);
            hello();
        });
        let lines: Vec<Value> = captured
            .lines()
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let [worker, supervisor] = &lines[..] else {
            panic!("not two lines: {lines:?}");
        };
        assert_eq!(worker["slot"], 3);
        assert_eq!(worker["pid"], std::process::id());
        assert_eq!(worker["level"], "WARN");
        assert_eq!(worker["target"], "hello");
        assert_eq!(worker["fields"]["message"], "two\nlines");
        assert_eq!(worker["fields"]["slot"], "own");
        assert_eq!(worker["span"]["service"], "greeter");
        assert!(humantime::parse_rfc3339(worker["timestamp"].as_str().unwrap()).is_ok());
        assert_eq!(supervisor["supervisor"], true);
        assert_eq!(supervisor["slot"], Value::Null);
    }

    #[test]
    fn nobody_can_forge_a_line() {
        let forged = "x\n2026-11-22T14:48:11.123456Z  INFO supervisor pid=1 hello: \x1b[2Jforged\r";
        for (format, colour) in [
            (LogFormat::Text, false),
            (LogFormat::Text, true),
            (LogFormat::Json, false),
        ] {
            let captured = Captured::new(format, "info", colour);
            captured.during(|| {
                let span =
                    tracing::info_span!("run", debug = ?forged, display = %forged, text = forged);
                let error: &dyn std::error::Error = &io::Error::other(forged);
                span.in_scope(|| {
                    tracing::info!("{forged}");
                    tracing::info!(target: "hello", debug = ?forged, text = forged, "message");
                    tracing::info!(display = %forged, error, "message");
                });
            });
            let lines = captured.lines();
            assert_eq!(lines.len(), 3, "{lines:?}");
            for line in &lines {
                assert!(!line.contains("\x1b[2J") && !line.contains('\r'), "{line}");
            }
        }
    }

    #[test]
    fn a_terminal_gets_colour_and_a_pipe_none() {
        let coloured = Captured::new(LogFormat::Text, "info", true);
        coloured.during(hello);
        assert!(coloured.lines()[0].contains(" \x1b[32m INFO\x1b[0m "));
        let plain = Captured::new(LogFormat::Text, "info", false);
        plain.during(hello);
        assert!(!plain.lines()[0].contains('\x1b'));
    }

    #[test]
    fn the_level_changes_while_the_program_runs() {
        let captured = Captured::new(LogFormat::Text, "warn", false);
        captured.during(|| {
            hello();
            captured.log.set_level("info").unwrap();
            hello();
            assert!(captured.log.set_level("inof").is_err());
            hello();
            captured.log.set_level("off").unwrap();
            tracing::error!("unheard");
        });
        assert_eq!(captured.lines().len(), 2);
    }

    #[test]
    fn an_authors_own_subscriber_stays() {
        // The global subscriber is set in a process of its own, for it cannot be taken back.
        const CHILD: &str = "SUBSCRIBER_CHILD";
        if std::env::var_os(CHILD).is_some() {
            let authors = Dispatch::new(tracing_subscriber::registry());
            dispatcher::set_global_default(authors).unwrap();
            assert!(!Log::new(LogFormat::Text, "info").unwrap().set_global());
            return;
        }
        let test = "log::subscriber::tests::an_authors_own_subscriber_stays";
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", test])
            .env(CHILD, "yes")
            .env_remove(filter::VARIABLE);
        let output = child.output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success() && told.contains("1 passed"),
            "{told}"
        );
    }

    #[test]
    fn a_log_without_a_reader_loses_lines_and_nothing_else() {
        let captured = Captured::new(LogFormat::Text, "info", false);
        let (gone, sender) = io::pipe().unwrap();
        drop(gone);
        let filter = filter::from_setting("info").unwrap();
        let log = Log::build(LogFormat::Text, filter, false, LineWriter::to(sender));
        let guard = log.set_scoped();
        hello();
        drop(guard);
        assert_eq!(log.lost(), 1);
        assert!(captured.lines().is_empty());
    }
}
