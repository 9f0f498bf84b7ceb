use serde::Deserialize;
use service_runtime::prelude::*;

const MOST: f64 = 2.0;

#[derive(Deserialize)]
struct Factor(f64);

#[derive(Deserialize, Config)]
struct Section {
    #[config(range = 1..="5m")]
    mixed: Factor,
    #[config(range = "a"..="z")]
    letters: Factor,
    #[config(range = 0.5..=MOST)]
    constant: Factor,
    #[config(range = 10)]
    no_range: u8,
}

fn main() {}
