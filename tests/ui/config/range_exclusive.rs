use serde::Deserialize;
use service_runtime::prelude::*;

#[derive(Deserialize, Config)]
struct Section {
    #[config(range = 1..10)]
    size: u8,
    #[config(range = ..)]
    all: u8,
}

fn main() {}
