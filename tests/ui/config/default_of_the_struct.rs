use serde::Deserialize;
use service_runtime::prelude::*;

#[derive(Deserialize, Config)]
struct Tls {
    #[config(default = true)]
    verify: bool,
}

#[derive(Deserialize, Config)]
#[config(default)]
struct Incomplete {
    url: String,
    #[config(default = 10)]
    pool: u32,
}

#[derive(Deserialize, Config)]
#[config(default)]
struct Nested {
    #[config(nested)]
    tls: Tls,
}

#[derive(Deserialize, Config)]
#[serde(default)]
#[config(default)]
struct Twice {
    name: Option<String>,
}

fn main() {}
