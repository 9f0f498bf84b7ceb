//! Names of environment variables: `<PROGRAM>__SECTION__KEY`.

use super::{
    ConfigError, Origin,
    path::{Path, Step},
};

/// Returns the variable that sets the option at a path.
pub(crate) fn variable(program: &str, path: &Path) -> String {
    let mut name = upper(program);
    for step in path.steps() {
        match step {
            Step::Key(key) => name = format!("{name}__{}", upper(key)),
            // An element cannot be set apart from its array.
            Step::Index(_) => break,
        }
    }
    name
}

/// Returns the keys that a variable sets, in lower case, or nothing if it is not the program's.
///
/// # Errors
///
/// Returns an error if the variable has the program's prefix and an empty part after it.
pub(crate) fn keys(program: &str, variable: &str) -> Result<Option<Vec<String>>, ConfigError> {
    let prefix = format!("{}__", upper(program));
    let Some(rest) = variable.strip_prefix(&prefix) else {
        return Ok(None);
    };
    let keys: Vec<_> = rest.split("__").map(str::to_lowercase).collect();
    if keys.iter().any(String::is_empty) {
        let message = format!("expected a name such as `{prefix}SECTION__KEY`");
        return Err(ConfigError::new(
            "",
            "",
            &Origin::environment(variable),
            message,
        ));
    }
    Ok(Some(keys))
}

fn upper(name: &str) -> String {
    let word = |c: char| if c.is_alphanumeric() { c } else { '_' };
    name.to_uppercase().chars().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_the_program_and_the_path_in_capitals() {
        let path = Path::dotted("greeter.idle-time");
        assert_eq!(variable("my-app", &path), "MY_APP__GREETER__IDLE_TIME");
        assert_eq!(
            keys("my-app", "MY_APP__GREETER__IDLE_TIME")
                .unwrap()
                .unwrap(),
            ["greeter", "idle_time"]
        );
    }

    #[test]
    fn variables_of_others_are_left_alone() {
        for name in ["PATH", "MY_APP_SERVICE_HOST", "MY_APPLE__A__B"] {
            assert_eq!(keys("my-app", name).unwrap(), None);
        }
    }

    #[test]
    fn an_empty_part_is_an_error_that_names_the_variable() {
        let error = keys("app", "APP__A____B").unwrap_err().to_string();
        assert_eq!(
            error,
            "environment variable APP__A____B: expected a name such as `APP__SECTION__KEY`"
        );
    }
}
