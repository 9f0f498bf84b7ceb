//! The key `access_log`: which fields a line has, and how it looks.

/// How a line of the access log looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AccessFormat {
    Off,
    Json,
    Parts(Vec<Part>),
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Field(Field),
}

/// What can be said of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Client,
    Method,
    Path,
    Version,
    Status,
    Length,
    Seconds,
    Agent,
    Id,
}

const TEXT: &str =
    "{client} \"{method} {path} {version}\" {status} {length} {seconds} \"{agent}\" {id}";

impl Field {
    pub(crate) const ALL: [(&str, Self); 9] = [
        ("client", Self::Client),
        ("method", Self::Method),
        ("path", Self::Path),
        ("version", Self::Version),
        ("status", Self::Status),
        ("length", Self::Length),
        ("seconds", Self::Seconds),
        ("agent", Self::Agent),
        ("id", Self::Id),
    ];
}

impl AccessFormat {
    /// Reads the key.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with it, and what to write instead.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        match text {
            "off" | "" => Ok(Self::Off),
            "json" => Ok(Self::Json),
            "text" => parts(TEXT).map(Self::Parts),
            word if !word.contains(['{', '}']) => Err(format!(
                "expected `off`, `text`, `json` or a format with fields such as `{{method}} {{path}}`, found `{word}`"
            )),
            format => parts(format).map(Self::Parts),
        }
    }
}

fn parts(format: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        let after = &rest[at + 1..];
        if let Some(after) = after.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(format!(
                "`}}` without `{{` in `{format}`: write `}}}}` for a brace"
            ));
        }
        let Some((name, after)) = after.split_once('}') else {
            return Err(format!(
                "`{{` without `}}` in `{format}`: write `{{{{` for a brace"
            ));
        };
        parts.push(Part::Text(std::mem::take(&mut text)));
        parts.push(Part::Field(field(name)?));
        rest = after;
    }
    text.push_str(rest);
    parts.push(Part::Text(text));
    parts.retain(|part| *part != Part::Text(String::new()));
    Ok(parts)
}

fn field(name: &str) -> Result<Field, String> {
    let found = Field::ALL.iter().find(|(known, _)| *known == name);
    found.map(|(_, field)| *field).ok_or_else(|| {
        let known: Vec<_> = Field::ALL
            .iter()
            .map(|(name, _)| format!("`{{{name}}}`"))
            .collect();
        format!(
            "unknown field `{{{name}}}`, expected one of {}",
            known.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_format_names_fields_and_keeps_the_rest() {
        let read = AccessFormat::read("{status} {{x}} {path}.").unwrap();
        let text = |text: &str| Part::Text(text.to_owned());
        let parts = vec![
            Part::Field(Field::Status),
            text(" {x} "),
            Part::Field(Field::Path),
            text("."),
        ];
        assert_eq!(read, AccessFormat::Parts(parts));
        assert_eq!(AccessFormat::read("off").unwrap(), AccessFormat::Off);
    }

    #[test]
    fn what_is_no_format_is_refused_with_its_reason() {
        for (wrong, reason) in [
            ("txet", "expected `off`, `text`, `json` or a format"),
            (
                "{methd}",
                "unknown field `{methd}`, expected one of `{client}`",
            ),
            ("{}", "unknown field `{}`"),
            ("{method", "`{` without `}`"),
            ("{method}}", "`}` without `{`"),
        ] {
            let error = AccessFormat::read(wrong).unwrap_err();
            assert!(error.contains(reason), "{wrong}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_format_is_lost_or_panics(format in "([{}a-z]|\\{(client|path|id|x)\\}|\\PC){0,40}") {
            let Ok(AccessFormat::Parts(parts)) = AccessFormat::read(&format) else {
                return Ok(());
            };
            prop_assume!(format != "text");
            let written = parts.into_iter().map(|part| match part {
                Part::Text(text) => text.replace('{', "{{").replace('}', "}}"),
                Part::Field(field) => {
                    let name = Field::ALL.iter().find(|(_, its)| *its == field);
                    format!("{{{}}}", name.unwrap().0)
                }
            });
            prop_assert_eq!(written.collect::<String>(), format);
        }
    }
}
