//! The services asked for on the command line.

use crate::service::Definition;

/// Keeps the services named by `only`, or all if it names none.
///
/// # Errors
///
/// Returns every name that no service has, with the near miss.
pub(crate) fn pick(services: Vec<Definition>, only: &[String]) -> Result<Vec<Definition>, String> {
    if services.is_empty() {
        return Err(
            "there is no service to launch: `main` returned none, and no registered \
                    service has an `#[init]`; return one from `main`, or name its crate in \
                    `#[launch(crates = […])]`"
                .to_owned(),
        );
    }
    if only.is_empty() {
        return Ok(services);
    }
    let known: Vec<String> = services
        .iter()
        .map(|service| service.description.name().to_owned())
        .collect();
    let unknown: Vec<String> = only
        .iter()
        .filter(|name| !known.contains(name))
        .map(|name| {
            let hint = crate::near::hint(name, known.iter().map(String::as_str));
            format!("`--only {name}`: no service has this name{hint}")
        })
        .collect();
    if !unknown.is_empty() {
        return Err(unknown.join("\n"));
    }
    Ok(services
        .into_iter()
        .filter(|s| only.iter().any(|o| o == s.description.name()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::{Description, Service};

    struct Named(&'static str);

    impl Service for Named {
        fn description(&self) -> Description {
            Description::new(self.0)
        }
    }

    fn services() -> Vec<Definition> {
        ["api", "db"]
            .map(|name| Definition::of_value(Named(name)))
            .into()
    }

    #[test]
    fn only_the_named_services_are_kept() {
        let picked = pick(services(), &["db".to_owned()]).unwrap();
        assert_eq!(picked.len(), 1);
        assert_eq!(picked[0].description.name(), "db");
    }

    #[test]
    fn every_unknown_name_is_told_with_its_near_miss() {
        let error = pick(services(), &["ap".to_owned(), "xyz".to_owned()])
            .err()
            .unwrap();
        assert_eq!(error.lines().count(), 2);
        assert!(error.contains("`--only ap`: no service has this name: did you mean `api`?"));
    }
}
