//! `--sample-unit`: a unit of systemd for the program as it is configured.

use std::fmt::Write;
use std::time::Duration;

use crate::settings::configuration::Loaded;

/// What systemd waits beside the time that the program gives itself.
const MARGIN: Duration = Duration::from_secs(15);

/// The flag that asks for the unit, which is no argument of the service.
const FLAG: &str = "--sample-unit";

/// Writes a unit for a program that is started with these words; secrets among them are left out.
pub(crate) fn sample_unit(
    program: &str,
    file: &str,
    arguments: impl Iterator<Item = String>,
    loaded: &Loaded,
) -> String {
    let (words, secrets) = without_secrets(arguments, |key| loaded.is_secret(key));
    let command: Vec<String> = std::iter::once(file.to_owned())
        .chain(words)
        .map(|word| quoted(&word))
        .collect();
    let settings = &loaded.settings;
    let mut unit = String::new();
    let _ = write!(
        unit,
        "# /etc/systemd/system/{program}.service\n\
         [Unit]\n\
         Description={}\n\
         After=network-online.target\n\
         Wants=network-online.target\n\
         \n\
         [Service]\n\
         # From systemd 253 on; before that Type=notify and ExecReload=kill -HUP $MAINPID.\n\
         Type=notify-reload\n\
         ExecStart={}\n",
        program.replace('%', "%%"),
        command.join(" "),
    );
    for key in secrets {
        let _ = writeln!(
            unit,
            "# The secret `{key}` is left out: put its variable into a file that only root can read.\n\
             #EnvironmentFile=/etc/{program}/secrets"
        );
    }
    let _ = write!(
        unit,
        "# The program bounds its own start and stop; these are for the worst case.\n\
         TimeoutStartSec={}\n\
         TimeoutStopSec={}\n\
         # Workers are replaced by the supervisor; this is for the program as a whole.\n\
         Restart=on-failure\n\
         # 2: the command line is wrong, 78: the configuration is. Trying again does not help.\n\
         RestartPreventExitStatus=2 78\n\
         # For the control socket.\n\
         RuntimeDirectory={program}\n",
        seconds(settings.start_timeout),
        seconds(settings.graceful_shutdown_timeout),
    );
    match &settings.privileges.user {
        Some(user) => {
            let _ = writeln!(
                unit,
                "# The program becomes the user `{user}` by itself, with `user`."
            );
        }
        None => {
            let _ = writeln!(unit, "#User={program}\n#Group={program}");
        }
    }
    let _ = write!(
        unit,
        "NoNewPrivileges=yes\n\
         ProtectSystem=strict\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n"
    );
    unit
}

/// Returns the arguments of the service, and the keys of the secrets that stood among them.
fn without_secrets(
    arguments: impl Iterator<Item = String>,
    is_secret: impl Fn(&str) -> bool,
) -> (Vec<String>, Vec<String>) {
    let (mut words, mut secrets): (Vec<String>, Vec<String>) = Default::default();
    let mut arguments = arguments.filter(|word| word != FLAG);
    while let Some(word) = arguments.next() {
        let (set, own): (String, Vec<String>) = match word.strip_prefix("--set=") {
            Some(set) => (set.to_owned(), vec![word.clone()]),
            None if word == "--set" => {
                let set = arguments.next().unwrap_or_default();
                (set.clone(), vec![word, set])
            }
            None => (String::new(), vec![word]),
        };
        match set.split_once('=') {
            Some((key, _)) if is_secret(key.trim()) => secrets.push(key.trim().to_owned()),
            _ => words.extend(own),
        }
    }
    (words, secrets)
}

fn seconds(limit: Option<Duration>) -> String {
    match limit {
        Some(limit) => (limit.saturating_add(MARGIN)).as_secs().to_string(),
        None => "infinity".to_owned(),
    }
}

/// Writes a word of a command as systemd reads it.
fn quoted(word: &str) -> String {
    let word = word.replace('%', "%%").replace('$', "$$");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-=,:+@%$".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word;
    }
    let mut text = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_written_so_that_systemd_reads_it_as_it_was() {
        for (word, written) in [
            ("--set=a.b=c", "--set=a.b=c"),
            ("50%", "50%%"),
            ("$HOME", "$$HOME"),
            ("two words", "\"two words\""),
            ("say \"so\"\\", "\"say \\\"so\\\"\\\\\""),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(word), written);
        }
    }

    #[test]
    fn secrets_are_left_out_and_named() {
        let words =
            "--set db.password=x --sample-unit --set=db.password=y --set db.host=z --workers 2";
        let words = words.split(' ').map(str::to_owned);
        let (words, secrets) = without_secrets(words, |key| key == "db.password");
        assert_eq!(words.join(" "), "--set db.host=z --workers 2");
        assert_eq!(secrets, ["db.password", "db.password"]);
    }
}
