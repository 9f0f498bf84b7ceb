#![deny(warnings, clippy::pedantic, missing_docs, unreachable_pub, unused_qualifications)]
//! Every option of a section, without a single warning.

use std::{net::SocketAddr, time::Duration};

use serde::Deserialize;
use service_runtime::prelude::*;

/// How the server listens.
#[derive(Debug, Deserialize, Config)]
#[serde(rename_all = "kebab-case")]
pub struct Server {
    /// The address to listen on.
    #[config(default = "127.0.0.1:7007")]
    pub address: SocketAddr,
    /// How many connections at once.
    #[config(default = 1_024, range = 1..=65536, mutable)]
    pub max_connections: u32,
    /** How long a connection
     * may be silent. */
    #[config(default = "30s", range = "1s"..="1h", mutable)]
    pub idle: Duration,
    /// The key that clients sign with.
    #[config(secret)]
    pub key: String,
    /// How much of a core.
    #[config(range = ..=1.5, default = -1)]
    pub share: f32,
    /// Who may connect.
    #[config(default = ["one", "tw\"o"])]
    pub clients: Vec<String>,
    /// Encrypts the connections.
    #[config(nested)]
    pub tls: Option<inner::Tls>,
}

/// A room below.
pub mod inner {
    /// How connections are encrypted.
    #[derive(Debug, serde::Deserialize, service_runtime::prelude::Config)]
    pub struct Tls {
        /// Whether certificates are looked at.
        #[serde(default)]
        pub r#verify: bool,
    }
}

macro_rules! section {
    ($name:ident, $ty:ty, $default:expr, $range:expr) => {
        /// Written by a macro.
        #[derive(Debug, Deserialize, Config)]
        pub struct $name {
            /// Its only option.
            #[config(default = $default, range = $range)]
            pub only: $ty,
        }
    };
}
section!(Small, u8, 5, 1..=10);

/// Without a single option.
#[derive(Debug, Deserialize, Config)]
pub struct Empty {}

fn main() {}
