use service_runtime::prelude::*;

#[service(config = Settings, config = Settings)]
struct Greeter;

#[service]
impl Greeter {}

#[derive(Debug, serde::Deserialize, Config)]
struct Settings {}

fn main() {}
