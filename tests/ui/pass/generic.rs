#![deny(warnings)]

use std::{fmt::Debug, sync::Arc};

use service_runtime::prelude::*;

#[service(name = "pool")]
struct Pool<T: Debug, const N: usize = 4>
where
    T: Send + Sync + 'static,
{
    values: [T; N],
}

#[service]
impl<T: Debug, const N: usize> Pool<T, N>
where
    T: Send + Sync + 'static,
{
    #[start]
    fn on_start<'a>(self: &'a Arc<Self>, cx: &'a Context) {
        let _ = (cx, &self.values);
    }

    #[run]
    async fn serve(&self, cx: &Context)
    where
        T: Debug,
    {
        let _ = (cx, &self.values);
    }

    #[periodic(every = "1s")]
    async fn show(&self) -> Result<()> {
        println!("{:?}", self.values);
        Ok(())
    }
}

fn main() {
    let _ = Pool { values: [1, 2, 3] };
}
