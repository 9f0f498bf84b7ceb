//! The cases of serde's `rename_all`.

/// A case that names of fields can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// `lowercase` and `snake_case`: a field's own.
    Snake,
    /// `UPPERCASE` and `SCREAMING_SNAKE_CASE`.
    ScreamingSnake,
    /// `PascalCase`.
    Pascal,
    /// `camelCase`.
    Camel,
    /// `kebab-case`.
    Kebab,
    /// `SCREAMING-KEBAB-CASE`.
    ScreamingKebab,
}

impl Case {
    /// The case that serde knows as `name`.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "lowercase" | "snake_case" => Self::Snake,
            "UPPERCASE" | "SCREAMING_SNAKE_CASE" => Self::ScreamingSnake,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "kebab-case" => Self::Kebab,
            "SCREAMING-KEBAB-CASE" => Self::ScreamingKebab,
            _ => return None,
        })
    }

    /// Writes the name of a field in this case, as serde does.
    pub(super) fn apply(self, field: &str) -> String {
        match self {
            Self::Snake => field.to_owned(),
            Self::ScreamingSnake => field.to_ascii_uppercase(),
            Self::Pascal => pascal(field),
            Self::Camel => {
                let name = pascal(field);
                let mut letters = name.chars();
                let first = letters.next().map(|first| first.to_ascii_lowercase());
                first.into_iter().chain(letters).collect()
            }
            Self::Kebab => field.replace('_', "-"),
            Self::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
        }
    }
}

fn pascal(field: &str) -> String {
    let mut name = String::new();
    let mut starts_word = true;
    for letter in field.chars() {
        if letter == '_' {
            starts_word = true;
        } else if starts_word {
            name.push(letter.to_ascii_uppercase());
            starts_word = false;
        } else {
            name.push(letter);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::Case;

    #[test]
    fn every_case_of_serde_is_known() {
        for (case, name) in [
            ("lowercase", "max_open_files"),
            ("UPPERCASE", "MAX_OPEN_FILES"),
            ("PascalCase", "MaxOpenFiles"),
            ("camelCase", "maxOpenFiles"),
            ("snake_case", "max_open_files"),
            ("SCREAMING_SNAKE_CASE", "MAX_OPEN_FILES"),
            ("kebab-case", "max-open-files"),
            ("SCREAMING-KEBAB-CASE", "MAX-OPEN-FILES"),
        ] {
            let applied = Case::of(case).map(|case| case.apply("max_open_files"));
            assert_eq!(applied.as_deref(), Some(name), "{case}");
        }
        assert_eq!(Case::of("Kebab-Case"), None);
    }
}
