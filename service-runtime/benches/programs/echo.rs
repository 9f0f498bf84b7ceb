//! The echo program whose launch is measured: `#[launch(workers = 4)]`, everything else default.
//!
//! Each worker says its pid and the port in a line on standard output, just before it first accepts.

use std::io::Write;

use service_runtime::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[service]
#[derive(Default)]
struct Echo;

#[service]
impl Echo {
    #[run]
    async fn serve(&self, cx: &Context) -> Result<()> {
        let listener = cx.listen("127.0.0.1:0").await?;
        let line = format!("{} {}\n", std::process::id(), listener.local_addr()?);
        std::io::stdout().write_all(line.as_bytes())?;
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => accepted?.0,
                () = cx.stopping() => return Ok(()),
            };
            cx.tasks().try_spawn("connection", echo(stream))?;
        }
    }
}

async fn echo(mut stream: Stream) -> Result<()> {
    let mut bytes = vec![0; 4096];
    loop {
        let length = stream.read(&mut bytes).await?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&bytes[..length]).await?;
    }
}

#[launch(workers = 4)]
fn main() -> Echo {
    Echo
}
