use serde::Deserialize;
use service_runtime::prelude::*;

#[derive(Deserialize, Config)]
struct Tls {
    verify: bool,
}

#[derive(Deserialize, Config)]
struct Section {
    #[config(nested, mutable, range = 1..=2, default = 1, secret)]
    tls: Tls,
}

fn main() {}
