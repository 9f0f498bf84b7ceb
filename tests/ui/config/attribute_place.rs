use serde::Deserialize;
use service_runtime::prelude::*;

#[derive(Deserialize, Config)]
#[config(mutable)]
struct Section {
    #[config]
    size: u8,
    #[config = 10]
    count: u8,
}

fn main() {}
