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
    check(only, &known)?;
    Ok(services
        .into_iter()
        .filter(|s| only.iter().any(|o| o == s.description.name()))
        .collect())
}

/// Refuses every name that is none of the known ones.
///
/// # Errors
///
/// Returns each of them, with the near miss.
pub(crate) fn check(only: &[String], known: &[String]) -> Result<(), String> {
    let unknown: Vec<String> = only
        .iter()
        .filter(|name| !known.contains(name))
        .map(|name| {
            let hint = crate::near::hint(name, known.iter().map(String::as_str));
            format!("`--only {name}`: no service has this name{hint}")
        })
        .collect();
    match unknown.is_empty() {
        true => Ok(()),
        false => Err(unknown.join("\n")),
    }
}

/// Keeps what a worker is to run: one service, or all without workers of their own.
///
/// A service's `after` counts among those of its own worker: nobody waits for another process.
///
/// # Errors
///
/// Returns an error if there is no service of the name `pool`.
pub(crate) fn share(
    services: Vec<Definition>,
    pool: Option<&str>,
    own: &[&str],
) -> Result<Vec<Definition>, String> {
    let is_here = |name: &str| match pool {
        Some(pool) => name == pool,
        None => !own.contains(&name),
    };
    let (mut here, elsewhere): (Vec<_>, Vec<_>) = services
        .into_iter()
        .partition(|service| is_here(service.description.name()));
    if let (Some(pool), true) = (pool, here.is_empty()) {
        return Err(format!(
            "`{pool}` has workers of its own, but `main` returns no service of this name: return \
             it, or take `workers` out of its table"
        ));
    }
    for service in &mut here {
        for other in &elsewhere {
            service.description.forget(other.description.name());
        }
    }
    Ok(here)
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

    #[test]
    fn a_service_with_workers_of_its_own_is_run_by_them_alone() {
        let names = |services: Vec<Definition>| -> Vec<String> {
            let name = |service: Definition| service.description.name().to_owned();
            services.into_iter().map(name).collect()
        };
        assert_eq!(
            names(share(services(), Some("api"), &["api"]).unwrap()),
            ["api"]
        );
        assert_eq!(names(share(services(), None, &["api"]).unwrap()), ["db"]);
        assert!(share(services(), None, &["api", "db"]).unwrap().is_empty());
        let error = share(services(), Some("web"), &["web"]).err().unwrap();
        assert!(
            error.contains("`main` returns no service of this name"),
            "{error}"
        );
    }
}
