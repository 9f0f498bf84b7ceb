use serde::Deserialize;
use service_runtime::prelude::*;

#[derive(Deserialize, Config)]
struct Rest {
    size: u8,
}

#[derive(Deserialize, Config)]
struct Section {
    #[serde(flatten)]
    rest: Rest,
    #[serde(skip)]
    #[config(mutable)]
    skipped: u8,
}

#[derive(Deserialize, Config)]
#[serde(from = "Rest")]
struct Converted {
    size: u8,
}

impl From<Rest> for Converted {
    fn from(Rest { size }: Rest) -> Self {
        Self { size }
    }
}

fn main() {}
