//! What the compiler said, without what differs from machine to machine and from day to day.
//!
//! Lines that tell of the end are left out, paths of other files begin at a word such as `$WORKSPACE`, and
//! have no numbers of lines. A column that was wide for such a number becomes as narrow as it can.

use crate::case::FOLDER;

/// Brings what the compiler said about the file `case` into the form in which it is kept.
pub(crate) fn normal(said: &str, case: &str) -> String {
    let own = format!("{FOLDER}/ui/");
    let said = said.replace(&format!("--> {own}"), "--> ui/");
    let said = said.replace(&format!("::: {own}"), "::: ui/");
    let said = said.replace(&own, "$DIR/ui/");
    let blocks = said.split("\n\n").map(|block| one(block, case));
    let blocks: Vec<_> = blocks.filter(|block| !block.is_empty()).collect();
    let mut normal = blocks.join("\n\n");
    normal.push('\n');
    normal
}

/// One error or warning.
fn one(block: &str, case: &str) -> String {
    let mut lines = Vec::new();
    let mut elsewhere = false;
    for line in block.lines().filter(|line| !tells_of_the_end(line)) {
        if let Some(place) = place(line) {
            let (arrow, path) = line.split_at(place);
            elsewhere = !path.starts_with(case);
            lines.push(if elsewhere {
                format!("{arrow}{}", other_file(path))
            } else {
                line.to_owned()
            });
            continue;
        }
        let line = &without_count(line);
        let code = line
            .trim_start()
            .starts_with(|first: char| first.is_ascii_digit() || "|.".contains(first));
        elsewhere &= code;
        lines.push(if elsewhere {
            without_number(line)
        } else {
            line.trim_end().to_owned()
        });
    }
    narrow(&mut lines);
    lines.join("\n")
}

/// Whether a line speaks of the whole output, or of the file that holds a long name.
fn tells_of_the_end(line: &str) -> bool {
    const STARTS: [&str; 5] = [
        "error: aborting due to ",
        "Some errors have detailed explanations:",
        "For more information about ",
        "= note: the full name for the type has been written to ",
        "= note: consider using `--verbose` to print the full type name",
    ];
    STARTS
        .iter()
        .any(|start| line.trim_start().starts_with(start))
}

/// Where the path begins, in a line that says where something stands.
fn place(line: &str) -> Option<usize> {
    let rest = line.trim_start();
    let is_place = rest.starts_with("--> ") || rest.starts_with("::: ");
    is_place.then(|| line.len() - rest.len() + 4)
}

/// The path of a file that is not the case's, without the numbers behind it.
fn other_file(path: &str) -> String {
    let path = path.trim_end_matches(|last: char| last.is_ascii_digit() || last == ':');
    if !path.starts_with('/') {
        return format!("$WORKSPACE/{path}");
    }
    // …/registry/src/index.example-0123456789abcdef/serde-1.0.0/src/lib.rs
    let registry = path.split_once("/registry/src/");
    let package = registry.and_then(|(_, rest)| rest.split_once('/'));
    let package = package.and_then(|(_, rest)| rest.split_once('/'));
    match package.and_then(|(package, file)| Some((package.rsplit_once('-')?.0, file))) {
        Some((name, file)) => format!("$CARGO/{name}-$VERSION/{file}"),
        None => path.to_owned(),
    }
}

/// `10 | T: Send` as `   | T: Send`.
fn without_number(line: &str) -> String {
    let rest = line.trim_start_matches(|first: char| first == ' ' || first.is_ascii_digit());
    let line = " ".repeat(line.len() - rest.len()) + rest;
    line.trim_end().to_owned()
}

/// `and 12 others` as `and $N others`.
fn without_count(line: &str) -> String {
    let rest = line.trim_start();
    let count = rest
        .strip_prefix("and ")
        .and_then(|rest| rest.strip_suffix(" others"));
    match count {
        Some(count) if count.bytes().all(|digit| digit.is_ascii_digit()) => {
            line.replace(count, "$N")
        }
        _ => line.to_owned(),
    }
}

/// Takes as many spaces from all lines as the longest number of a line has to spare.
fn narrow(lines: &mut [String]) {
    let Some(first) = lines.iter().position(|line| place(line).is_some()) else {
        return;
    };
    let digits = |line: &String| {
        let (number, _) = line.trim_start().split_once(" |")?;
        let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then_some(number.len())
    };
    let wide = lines[first].len() - lines[first].trim_start().len();
    let needed = lines.iter().filter_map(digits).max().unwrap_or(1);
    let spare = " ".repeat(wide.saturating_sub(needed));
    let mut in_note = false;
    for line in &mut lines[first..] {
        let goes_on = in_note && line.starts_with("      ");
        in_note = goes_on || line.starts_with("note:") || line.starts_with("help:");
        if !in_note && let Some(rest) = line.strip_prefix(&spare) {
            *line = rest.to_owned();
        }
    }
}
