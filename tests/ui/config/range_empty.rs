use serde::Deserialize;
use service_runtime::prelude::*;

#[derive(Deserialize, Config)]
struct Section {
    #[config(range = 10..=1)]
    size: u8,
}

fn main() {}
