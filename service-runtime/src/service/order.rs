//! The order in which services start and stop.

use std::collections::{BTreeMap, BTreeSet};

use super::Description;

/// Why services cannot be ordered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OrderError {
    /// Two services of one name.
    #[error(
        "{count} services are named `{name}`: give each a name of its own with `#[service(name = \"…\")]`"
    )]
    Duplicate {
        /// The name.
        name: String,
        /// How many have it.
        count: usize,
    },
    /// A service waits for one that is not launched.
    #[error("service `{service}` starts after `{missing}`, which is not launched{hint}")]
    Unknown {
        /// Who waits.
        service: String,
        /// For whom.
        missing: String,
        /// The near miss, or the services there are.
        hint: String,
    },
    /// Services wait for each other.
    #[error("services wait for each other: {path}; take one `after` away")]
    Cycle {
        /// The way round, from a name to itself.
        path: String,
    },
}

/// Returns the services by their place in `services`, level by level: those of a level need only
/// those of the levels before. Within a level they stand by name.
///
/// # Errors
///
/// Returns every error that there is, not only the first.
pub(crate) fn levels(services: &[Description]) -> Result<Vec<Vec<usize>>, Vec<OrderError>> {
    let mut errors = Vec::new();
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, service) in services.iter().enumerate() {
        places.entry(service.name()).or_default().push(index);
    }
    for (name, indices) in &places {
        if indices.len() > 1 {
            let name = (*name).to_owned();
            errors.push(OrderError::Duplicate {
                name,
                count: indices.len(),
            });
        }
    }
    for service in services {
        for missing in service.needs().filter(|name| !places.contains_key(name)) {
            errors.push(OrderError::Unknown {
                service: service.name().to_owned(),
                missing: missing.to_owned(),
                hint: crate::near::hint(missing, places.keys().copied()),
            });
        }
    }
    let mut levels = Vec::new();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut left: BTreeMap<&str, &Description> = services
        .iter()
        .map(|service| (service.name(), service))
        .collect();
    while !left.is_empty() {
        let next: Vec<&str> = left
            .iter()
            .filter(|(_, service)| {
                // A need that is not there was told above; it must not hide a cycle.
                let is_met = |name: &str| done.contains(name) || !places.contains_key(name);
                service.needs().all(is_met)
            })
            .map(|(name, _)| *name)
            .collect();
        if next.is_empty() {
            errors.push(OrderError::Cycle { path: cycle(&left) });
            break;
        }
        levels.push(next.iter().map(|name| places[name][0]).collect());
        for name in next {
            left.remove(name);
            done.insert(name);
        }
    }
    match errors.is_empty() {
        true => Ok(levels),
        false => Err(errors),
    }
}

/// Follows the first need of each until one comes up again.
fn cycle(left: &BTreeMap<&str, &Description>) -> String {
    let mut path: Vec<&str> = Vec::new();
    let mut name = left.keys().next().copied().unwrap_or_default();
    loop {
        if let Some(from) = path.iter().position(|seen| *seen == name) {
            path.drain(..from);
            path.push(name);
            return path
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(" after ");
        }
        path.push(name);
        let need = left[name].needs().find(|need| left.contains_key(need));
        name = need.unwrap_or(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &'static str, after: &[&'static str]) -> Description {
        Description::new(name).after(after.iter().copied())
    }

    #[test]
    fn a_service_stands_in_the_level_after_those_it_needs() {
        let services = [
            service("api", &["db", "cache"]),
            service("db", &[]),
            service("cache", &["db"]),
        ];
        assert_eq!(levels(&services).unwrap(), [vec![1], vec![2], vec![0]]);
    }

    #[test]
    fn a_cycle_is_refused_with_its_path() {
        let services = [
            service("a", &["b"]),
            service("b", &["c"]),
            service("c", &["b"]),
            service("d", &[]),
        ];
        let errors = levels(&services).unwrap_err();
        assert_eq!(
            errors[0].to_string(),
            "services wait for each other: `b` after `c` after `b`; take one `after` away"
        );
    }

    #[test]
    fn a_cycle_is_told_beside_every_other_mistake() {
        let services = [
            service("a", &["b"]),
            service("b", &["a"]),
            service("c", &["nobody"]),
            service("d", &[]),
            service("d", &[]),
        ];
        let errors = levels(&services).unwrap_err();
        let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let text = text.join("\n");
        for part in [
            "`a` after `b` after `a`",
            "`nobody`",
            "2 services are named `d`",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn every_duplicate_and_every_unknown_name_is_told_at_once() {
        let services = [
            service("db", &[]),
            service("db", &[]),
            service("api", &["dv", "x"]),
        ];
        let errors = levels(&services).unwrap_err();
        assert_eq!(errors.len(), 3);
        assert!(
            errors[0]
                .to_string()
                .starts_with("2 services are named `db`"),
            "{}",
            errors[0]
        );
        assert!(
            errors[1]
                .to_string()
                .ends_with("not launched: did you mean `db`?"),
            "{}",
            errors[1]
        );
    }
}
