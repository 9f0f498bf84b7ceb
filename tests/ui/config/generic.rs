use serde::Deserialize;
use service_runtime::prelude::*;

#[derive(Deserialize, Config)]
struct Section<T> {
    #[config(default = 10, range = 20..=30)]
    size: u8,
    value: T,
}

fn main() {}
