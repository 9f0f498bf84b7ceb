use service_runtime::prelude::*;

#[service]
struct Compute;

#[service]
impl Compute {
    #[rpc(sinse = "1.2", cast, cast)]
    fn build(&self, image: &str, _: u32, any: impl Send) -> u32 {
        image.len() as u32
    }

    #[rpc(since = "one")]
    fn forget(&mut self, #[serde(skip)] what: String) {}

    #[rpc = "2.0"]
    fn everywhere(&self) {}

    #[rpc(namespace = " ")]
    fn _hidden<T>(&self, other: Self) -> Self {
        other
    }

    #[rcp]
    fn misspelt(&self) {}
}

fn main() {}
