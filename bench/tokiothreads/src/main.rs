// What it costs that one thread waits for sockets and another one works: a hello that parses nothing, without
// WebAssembly. `two` is how `wasmtime run` does it, with tokio's multi-threaded runtime, whose first thread runs all
// tasks and never waits for sockets itself; `one` has the runtime of a single thread.
// Usage: tokiothreads one|two PORT

use std::io::Result;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::{spawn_local, LocalSet};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nHello, world";

async fn answer(mut socket: TcpStream) -> Result<()> {
    let mut buffer = [0; 2048];
    while socket.read(&mut buffer).await? > 0 {
        socket.write_all(ANSWER).await?;
    }
    Ok(())
}

async fn serve(port: u16) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        spawn_local(answer(socket));
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut builder = match arguments.next().as_deref() {
        Some("one") => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let port = arguments.next().and_then(|text| text.parse().ok()).expect("usage: tokiothreads one|two PORT");
    LocalSet::new().block_on(&builder.enable_io().build()?, serve(port))
}
