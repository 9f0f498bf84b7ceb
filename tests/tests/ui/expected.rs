//! What the compiler is expected to say, in a file beside the case.

use std::path::Path;
use std::{env, fs};

/// Compares what was said with the file, or writes the file anew if that is asked for.
pub(crate) fn compare(file: &Path, said: &str) -> Result<(), String> {
    if env::var_os("UI").is_some_and(|word| word == "overwrite") {
        fs::write(file, said).unwrap();
        return Ok(());
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    if expected == said {
        return Ok(());
    }
    Err(format!(
        "not what is expected\n{}",
        difference(&expected, said)
    ))
}

/// The lines from the first that differs to the last, those that are expected with a `-`.
fn difference(expected: &str, said: &str) -> String {
    let (mut expected, mut said): (Vec<_>, Vec<_>) =
        (expected.lines().collect(), said.lines().collect());
    let same = |(one, other): &(&&str, &&str)| one == other;
    let first = expected.iter().zip(&said).take_while(same).count();
    expected.drain(..first);
    said.drain(..first);
    let last = expected
        .iter()
        .rev()
        .zip(said.iter().rev())
        .take_while(same)
        .count();
    expected.truncate(expected.len() - last);
    said.truncate(said.len() - last);
    let expected = expected.iter().map(|line| format!("-{line}\n"));
    let said = said.iter().map(|line| format!("+{line}\n"));
    format!(
        "from line {} on:\n{}",
        first + 1,
        expected.chain(said).collect::<String>()
    )
}
