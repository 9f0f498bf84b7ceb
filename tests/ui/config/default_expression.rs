use serde::Deserialize;
use service_runtime::prelude::*;

use std::time::Duration;

const SIZE: u8 = 10;

#[derive(Deserialize, Config)]
struct Section {
    #[config(default = SIZE)]
    constant: u8,
    #[config(default = Duration::from_secs(5))]
    call: Duration,
    #[config(default = [1, 1 + 1])]
    element: Vec<u8>,
    #[config(default = 10u8)]
    suffix: u8,
    #[config(default)]
    nothing: u8,
    #[config(default = )]
    empty: u8,
}

fn main() {}
