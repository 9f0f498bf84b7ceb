use serde::Deserialize;
use service_runtime::prelude::*;

#[derive(Deserialize, Config)]
enum Mode {
    Fast,
    Careful,
}

#[derive(Clone, Copy, Deserialize, Config)]
struct Pair(u8, u8);

#[derive(Deserialize, Config)]
struct Nothing;

fn main() {}
