use serde::Deserialize;
use service_runtime::prelude::*;

#[derive(Deserialize, Config)]
struct Section {
    #[config(default = 10)]
    size: Option<u8>,
}

fn main() {}
