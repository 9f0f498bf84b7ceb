//! Addresses to listen on, as the key `bind` has them.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

/// One address to listen on, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind(Vec<String>);

impl Bind {
    /// Listens on these addresses.
    pub fn new<A: Into<String>>(addresses: impl IntoIterator<Item = A>) -> Self {
        Self(addresses.into_iter().map(Into::into).collect())
    }

    /// Returns the addresses as they were written.
    pub fn addresses(&self) -> &[String] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Bind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BindVisitor)
    }
}

struct BindVisitor;

impl<'de> Visitor<'de> for BindVisitor {
    type Value = Bind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address such as `127.0.0.1:8080`, or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bind, E> {
        // From the environment or a flag: `a, b` or `["a", "b"]`; an IPv6 address has brackets too.
        let text = text.trim();
        let list = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        let list = list.unwrap_or(text).split(',');
        let list = list.map(|address| address.trim().trim_matches(['"', '\'']));
        check(list.map(str::to_owned).collect())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Bind, A::Error> {
        let mut addresses = Vec::new();
        while let Some(address) = items.next_element()? {
            addresses.push(address);
        }
        check(addresses)
    }
}

fn check<E: de::Error>(addresses: Vec<String>) -> Result<Bind, E> {
    if addresses.is_empty() {
        return Err(E::invalid_length(0, &BindVisitor));
    }
    for address in &addresses {
        let parsed = address.parse::<crate::listen::Address>();
        parsed.map_err(E::custom)?;
    }
    Ok(Bind(addresses))
}
