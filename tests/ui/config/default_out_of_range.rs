use serde::Deserialize;
use service_runtime::prelude::*;

use std::time::Duration;

#[derive(Deserialize, Config)]
struct Section {
    #[config(default = 0, range = 1..)]
    workers: u8,
    #[config(default = "10m", range = "1s"..="5m")]
    timeout: Duration,
}

fn main() {}
