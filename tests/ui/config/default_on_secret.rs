use serde::Deserialize;
use service_runtime::prelude::*;

#[derive(Deserialize, Config)]
struct Section {
    #[config(default = "hunter2", secret)]
    password: String,
}

fn main() {}
