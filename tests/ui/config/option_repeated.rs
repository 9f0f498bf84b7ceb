use serde::Deserialize;
use service_runtime::prelude::*;

#[derive(Deserialize, Config)]
struct Section {
    #[config(mutable, mutable)]
    one_attribute: u8,
    #[config(default = 1)]
    #[config(default = 2)]
    two_attributes: u8,
}

fn main() {}
