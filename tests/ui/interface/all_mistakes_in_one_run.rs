use service_runtime::prelude::*;

#[interface(tpoic = "compute")]
trait ComputeApi<T>: Send {
    const LIMIT: u32;
    #[start]
    async fn build(&self, call: &Call, image: &str) -> u32;
    #[rpc(sicne = "1.2", interface = Other)]
    async fn resize<F>(&self) -> u32;
    fn rename(self, name: String);
    fn describe(&self) {}
    #[rpc(cast)]
    fn forget(&self) -> u32;
    unsafe fn boot(&self);
}

fn main() {}
