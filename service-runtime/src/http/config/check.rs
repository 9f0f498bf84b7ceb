//! What a value has to be beyond its type.
//!
//! A configuration file is refused with its line, at the start and at a reload. The same rules hold
//! for what a program gives by itself.

use std::net::IpAddr;

use nix::unistd::{Group, User};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::access_log::AccessFormat;
use crate::config::{ConfigErrors, Origin, Table};
use crate::service::Context;

/// A wrong value of a service's own table.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {text}")]
pub(crate) struct Wrong {
    key: &'static str,
    text: String,
}

impl Wrong {
    /// Says what is wrong with a key.
    pub(crate) fn new(key: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { key, text }
    }

    /// Adds where the value comes from.
    pub(crate) fn of(self, cx: &Context) -> ConfigErrors {
        self.at(cx.snapshot().root(), cx.name())
    }

    /// As [`of`](Self::of), for the table of this name among all of a program.
    pub(crate) fn at(self, root: &Table, name: &str) -> ConfigErrors {
        let mut keys = self.key.split('.');
        let entry = keys.try_fold(root.get(name), |entry, key| {
            Some(entry?.value().as_table()?.get(key))
        });
        let entry = entry.flatten();
        let origin = entry.map_or(Origin::Default, |entry| entry.origin().clone());
        ConfigErrors::at(name, self.key, &origin, self.text)
    }
}

/// Reads the permissions of a file.
pub(crate) fn file_mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text.trim_start_matches("0o"), 8);
    let mode = mode.ok().filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| format!("expected nine bits in octal, such as `660`, found `{text}`"))
}

/// Returns the number of a user.
pub(crate) fn user_id(text: &str) -> Result<u32, String> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    match User::from_name(text) {
        Ok(Some(user)) => Ok(user.uid.as_raw()),
        Ok(None) => Err(format!("this system has no user `{text}`")),
        Err(errno) => Err(format!("cannot look up the user `{text}`: {errno}")),
    }
}

/// Returns the number of a group.
pub(crate) fn group_id(text: &str) -> Result<u32, String> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    match Group::from_name(text) {
        Ok(Some(group)) => Ok(group.gid.as_raw()),
        Ok(None) => Err(format!("this system has no group `{text}`")),
        Err(errno) => Err(format!("cannot look up the group `{text}`: {errno}")),
    }
}

/// Reads an address or a network.
pub(crate) fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some((address, bits))
}

/// Checks one of `trusted_proxies`.
pub(crate) fn proxy(text: &str) -> Result<(), String> {
    if text == "unix" || network(text).is_some() {
        return Ok(());
    }
    Err(format!(
        "`{text}` is neither an address, nor a network such as `10.0.0.0/8`, nor `unix`"
    ))
}

/// Checks a version of TLS.
pub(crate) fn version(text: &str) -> Result<(), String> {
    match text {
        "1.2" | "1.3" => Ok(()),
        _ => Err(format!("expected `1.2` or `1.3`, found `{text}`")),
    }
}

pub(super) fn socket_mode<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    if let Some(text) = &text {
        file_mode(text).map_err(D::Error::custom)?;
    }
    Ok(text)
}

pub(super) fn trusted_proxies<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let wrong = texts.iter().find_map(|text| proxy(text).err());
    wrong.map_or(Ok(texts), |wrong| Err(D::Error::custom(wrong)))
}

pub(super) fn ratio<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let ratio = f64::deserialize(from)?;
    if (0.0..=1.0).contains(&ratio) {
        return Ok(ratio);
    }
    Err(D::Error::custom(format!(
        "expected a number from 0 to 1, found {ratio}"
    )))
}

pub(super) fn access_log<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    AccessFormat::read(&text).map_err(D::Error::custom)?;
    Ok(text)
}

pub(super) fn tls_version<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    version(&text).map_err(D::Error::custom)?;
    Ok(text)
}
