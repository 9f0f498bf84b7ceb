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

/// Written with its defaults.
#[derive(Debug, Deserialize, Config)]
#[config(default)]
pub struct Pool {
    /// How many there are.
    #[config(default = 4)]
    pub size: u8,
    /// Whose.
    pub owner: Option<String>,
    /// Where.
    #[config(nested)]
    pub place: Place,
}

/// Where a pool is.
#[derive(Debug, Deserialize, Config)]
#[config(default)]
pub struct Place {
    /// How long the way is.
    #[config(default = "2s")]
    #[serde(rename = "way")]
    pub distance: Duration,
}

fn main() {
    let pool = Pool::default();
    assert_eq!((pool.size, pool.owner), (4, None));
    assert_eq!(pool.place.distance, Duration::from_secs(2));
}
