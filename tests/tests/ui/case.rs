//! One case: a file, and what has to come of compiling it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use crate::expected::compare;
use crate::normal::normal;

/// Where this test's dependencies are.
const DEPENDENCIES: &[&str] = &rustc_arguments::dependencies!();

/// The folder of this package, as the compiler sees it from that of the workspace. There it finds the
/// sources of the other packages, to show what an error speaks of.
pub(crate) const FOLDER: &str = "tests";

/// A file below `ui`: a program to run in `pass`, a mistake in every other folder.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Case {
    /// Its path from the package's folder on.
    pub(crate) path: String,
    runs: bool,
}

impl Case {
    /// All cases. Those that are to be run take longest, and come last.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for folder in files(Path::new("ui")) {
            for file in files(&folder) {
                if file.extension().is_some_and(|extension| extension == "rs") {
                    let path = file.to_str().unwrap().to_owned();
                    let runs = path.starts_with("ui/pass/");
                    all.push(Self { path, runs });
                }
            }
        }
        all.sort_by_key(|case| case.runs);
        all
    }

    /// Compiles the case, and runs it if that is what it is for.
    pub(crate) fn check(&self) -> Result<(), String> {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&self.path);
        fs::create_dir_all(&dir).unwrap();
        let program = dir.join("program");
        let compiled = self.compile(&program);
        let said = String::from_utf8(compiled.stderr).unwrap();
        if !self.runs {
            if compiled.status.success() {
                return Err("it compiles, and should not".to_owned());
            }
            let expected = Path::new(&self.path).with_extension("stderr");
            return compare(&expected, &normal(&said, &self.path));
        }
        if !compiled.status.success() {
            return Err(format!("it should compile\n{said}"));
        }
        let ran = Command::new(program).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        match ran.status.success() {
            true => Ok(()),
            false => Err(format!("it ended with {}\n{said}", ran.status)),
        }
    }

    fn compile(&self, program: &Path) -> Output {
        let emit = if self.runs { "link" } else { "metadata" };
        Command::new(rustc())
            .args(["--edition=2024", "--crate-name=case", "--crate-type=bin"])
            .args(["-A", "dead_code", "--diagnostic-width=140"])
            .arg(format!("--emit={emit}"))
            .arg("-o")
            .arg(program)
            .args(DEPENDENCIES)
            .arg(Path::new(FOLDER).join(&self.path))
            .current_dir("..")
            .output()
            .unwrap()
    }
}

/// The compiler beside the cargo that runs this test.
fn rustc() -> PathBuf {
    let beside = env::var_os("CARGO").map(|cargo| Path::new(&cargo).with_file_name("rustc"));
    beside
        .filter(|rustc| rustc.exists())
        .unwrap_or_else(|| "rustc".into())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
