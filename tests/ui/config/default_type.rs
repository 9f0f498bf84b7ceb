use serde::Deserialize;
use service_runtime::prelude::*;

use std::time::Duration;

#[derive(Deserialize, Config)]
struct Section {
    #[config(default = "7007")]
    port: u16,
    #[config(default = 70000)]
    large: u16,
    #[config(default = -1)]
    negative: usize,
    #[config(default = "yes")]
    switch: bool,
    #[config(default = 10)]
    name: String,
    #[config(default = 5)]
    number: Duration,
    #[config(default = "5 parsecs")]
    distance: Duration,
    #[config(default = ["a", 1])]
    names: Vec<String>,
}

fn main() {}
