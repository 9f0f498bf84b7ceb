use service_runtime::prelude::*;

#[service]
struct Compute<T>(T);

#[service]
impl<T: Send + Sync + 'static> Compute<T> {
    #[rpc]
    fn build(&self) {}
}

fn main() {}
