use serde::Deserialize;
use service_runtime::prelude::*;

struct Level(u8);

#[derive(Deserialize, Config)]
struct Section {
    #[config(default = 3)]
    level: Level,
}

fn main() {}
