//! Where a report goes: into the log, or into a file of its own.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::program_status::ProgramStatus;
#[cfg(workers)]
use super::service_status::ProcessPart;
use crate::settings::{Report, ReportFormat};

/// Writes a report where the settings say.
pub(crate) fn write_report(status: &ProgramStatus, settings: &Report) {
    let text = status.write(settings.format);
    let Some(dir) = &settings.dir else {
        into_log(&text, settings.format);
        return;
    };
    match into_file(dir, &status.info.program, settings.format, &text) {
        Ok(path) => tracing::info!("report: written to `{}`", path.display()),
        Err(error) => {
            let dir = dir.display();
            tracing::error!("report: cannot be written to a file in `{dir}`: {error}");
            into_log(&text, settings.format);
        }
    }
}

/// Logs the part of a process that was asked itself.
#[cfg(workers)]
pub(crate) fn log_part(part: &ProcessPart, format: ReportFormat) {
    into_log(&part.write(format), format);
}

/// Writes a text into the log: a line for each of its lines, or all of it in one as JSON.
fn into_log(text: &str, format: ReportFormat) {
    if format.is_json() {
        tracing::info!("report: {text}");
        return;
    }
    for line in text.lines() {
        tracing::info!("report: {line}");
    }
}

/// Writes the file under another name first: whoever sees it sees all of it.
fn into_file(dir: &Path, program: &str, format: ReportFormat, text: &str) -> io::Result<PathBuf> {
    let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let time = time.replace(['-', ':'], "");
    let ending = if format.is_json() { "json" } else { "txt" };
    let name = format!("{program}-{}-{time}.{ending}", std::process::id());
    let (new, path) = (dir.join(format!(".{name}.new")), dir.join(name));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o640)
        .open(&new)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&new, &path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written.map(|()| path)
}
