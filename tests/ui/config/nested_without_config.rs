use serde::Deserialize;
use service_runtime::prelude::*;

#[derive(Deserialize)]
struct Tls {
    verify: bool,
}

#[derive(Deserialize, Config)]
struct Section {
    #[config(nested)]
    tls: Tls,
    #[config(nested)]
    more: Option<Tls>,
}

fn main() {}
