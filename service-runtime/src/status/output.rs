//! Where a report goes: into the log, or into a file of its own.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Row;
use crate::settings::{Report, ReportFormat};

/// Writes a report where the settings say.
pub(crate) fn emit(report: &Row, program: &str, settings: &Report) {
    let Some(dir) = &settings.dir else {
        into_log(report, settings.format);
        return;
    };
    let text = report.write(settings.format);
    match into_file(dir, program, settings.format, &text) {
        Ok(path) => tracing::info!("report: written to `{}`", path.display()),
        Err(error) => {
            let dir = dir.display();
            tracing::error!("report: cannot be written to a file in `{dir}`: {error}");
            into_log(report, settings.format);
        }
    }
}

/// Writes what is below the row into the log: a line for each, or all of it in one as JSON.
pub(crate) fn into_log(report: &Row, format: ReportFormat) {
    match format {
        ReportFormat::Json => tracing::info!("report: {}", report.write(format)),
        _ => {
            for line in report.write(format).lines() {
                tracing::info!("report: {line}");
            }
        }
    }
}

/// Writes the file under another name first: whoever sees it sees all of it.
fn into_file(dir: &Path, program: &str, format: ReportFormat, text: &str) -> io::Result<PathBuf> {
    let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let time = time.replace(['-', ':'], "");
    let ending = match format {
        ReportFormat::Json => "json",
        _ => "txt",
    };
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
