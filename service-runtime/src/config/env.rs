//! Names of environment variables: `<PROGRAM>__SECTION__KEY`.

use super::{
    ConfigError, Field, Origin,
    field::{self, Tables},
    path::Path,
};

/// Returns the variable that sets the option at a path, if one can: an element cannot be set apart
/// from its array, and a variable tells nothing of case and dashes.
///
/// `fields` are the options of the path's section; what they do not name is spelled exactly.
pub(crate) fn variable(program: &str, path: &Path, fields: &[Field]) -> Option<String> {
    if path.is_in_an_array() {
        return None;
    }
    let mut name = upper(program);
    let (mut known, mut maps) = (Some(fields), 0);
    for (n, key) in path.keys().enumerate() {
        let spelled = field::loosened(key);
        if spelled.contains("__") || spelled.starts_with('_') || spelled.ends_with('_') {
            return None;
        }
        if n > 0 && maps > 0 {
            // A name that the operator has given.
            maps -= 1;
            if spelled != key {
                return None;
            }
        } else if n > 0 {
            let field = known.and_then(|fields| field::find(fields, &spelled, true));
            if field.is_none_or(|field| field.name != key) && spelled != key {
                return None;
            }
            let tables = field.and_then(|field| field.nested);
            known = tables.map(Tables::fields);
            maps = tables.map_or(0, |tables| tables.within.len());
        }
        name = format!("{name}__{}", upper(key));
    }
    Some(name)
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
        let fields = [Field::new("idle-time", "Duration")];
        assert_eq!(
            variable("my-app", &path, &fields).unwrap(),
            "MY_APP__GREETER__IDLE_TIME"
        );
        assert_eq!(
            keys("my-app", "MY_APP__GREETER__IDLE_TIME")
                .unwrap()
                .unwrap(),
            ["greeter", "idle_time"]
        );
    }

    #[test]
    fn what_no_variable_can_spell_has_none() {
        let none = |path: &Path| assert_eq!(variable("app", path, &[]), None, "{path}");
        none(&Path::dotted("greeter.hosts").index(0).key("port"));
        none(&Path::dotted("greeter.hosts.Main.port"));
        none(&Path::dotted("greeter.hosts.a-b.port"));
        none(&Path::dotted("greeter.a__b"));
        none(&Path::dotted("greeter._a"));
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
