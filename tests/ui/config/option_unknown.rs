use serde::Deserialize;
use service_runtime::prelude::*;

#[derive(Deserialize, Config)]
struct Section {
    #[config(mutabel)]
    near: u8,
    #[config(defualt = 10)]
    also_near: u8,
    #[config(unit = "ms")]
    stranger: u8,
}

fn main() {}
