use serde::Deserialize;
use service_runtime::prelude::*;

use std::time::Duration;

#[derive(Deserialize, Config)]
struct Section {
    #[config(range = 1..=10)]
    name: String,
    #[config(range = false..=true)]
    switch: bool,
    #[config(range = 1..=60)]
    number: Duration,
    #[config(range = "1s"..="5s")]
    text: u8,
}

fn main() {}
