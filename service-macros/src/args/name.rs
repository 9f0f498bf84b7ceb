//! Names of services and periodic tasks.

use super::Given;

/// Says what is wrong with `name`, if anything.
///
/// A name is a table of the configuration, a part of a variable's name and a word in the log.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let mut letters = name.chars();
    let Some(first) = letters.next() else {
        return Err("a name cannot be empty".to_owned());
    };
    if !first.is_ascii_lowercase() {
        return Err(format!("`{name}` does not start with a lower-case letter"));
    }
    let fits = |letter: &char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    match letters.find(|letter| !fits(letter) && !matches!(letter, '_' | '-')) {
        Some(wrong) => Err(format!("a name has no {wrong:?} in it")),
        None => Ok(()),
    }
}

/// Reads the name that was given.
pub(crate) fn given_name(given: &Given) -> syn::Result<String> {
    let name = given.text()?.value();
    let help = format!(
        "write lower-case letters, digits, `_` and `-`, as in `{}`",
        given.key.example
    );
    check_name(&name).map_err(|wrong| given.problem(wrong, help))?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn names_are_small_letters_digits_and_dashes() {
        for good in ["db", "http-2", "job_runner", "a1"] {
            assert_eq!(check_name(good), Ok(()));
        }
        for bad in ["", "2db", "_db", "Db", "dB", "d b", "d.b", "größe", "d/b"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
