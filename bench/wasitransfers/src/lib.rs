// A component of wasi:http 0.2 in Rust that answers what bench/sandboxed/transfers.ts does: GET /download/1m and
// /download/1g, POST /upload, and a hello.

use wasi::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasi::io::streams::{OutputStream, StreamError};

const BLOCK: [u8; 65536] = [b'x'; 65536];

struct Transfers;

impl wasi::exports::http::incoming_handler::Guest for Transfers {
    fn handle(request: IncomingRequest, outparam: ResponseOutparam) {
        match request.path_with_query().as_deref() {
            Some("/download/1m") => answer(outparam, 1 << 20, |output| fill(output, 1 << 20)),
            Some("/download/1g") => answer(outparam, 1 << 30, |output| fill(output, 1 << 30)),
            Some("/upload") => text(outparam, &received(&request).to_string()),
            _ => text(outparam, "Hello, world"),
        }
    }
}

fn text(outparam: ResponseOutparam, text: &str) {
    answer(outparam, text.len(), |output| output.blocking_write_and_flush(text.as_bytes()));
}

/// A client that leaves ends its own answer; the rest of it is dropped.
fn answer(outparam: ResponseOutparam, bytes: usize, write: impl Fn(&OutputStream) -> Result<(), StreamError>) {
    let fields = Fields::new();
    fields.append(&"content-type".into(), &b"text/plain".to_vec()).unwrap();
    fields.append(&"content-length".into(), &bytes.to_string().into_bytes()).unwrap();
    let response = OutgoingResponse::new(fields);
    let body = response.body().unwrap();
    ResponseOutparam::set(outparam, Ok(response));
    let output = body.write().unwrap();
    let whole = write(&output).is_ok();
    drop(output);
    if whole {
        let _ = OutgoingBody::finish(body, None);
    }
}

fn fill(output: &OutputStream, mut left: usize) -> Result<(), StreamError> {
    let room = output.subscribe();
    while left > 0 {
        let size = left.min(BLOCK.len()).min(output.check_write()? as usize);
        if size == 0 {
            room.block();
            continue;
        }
        output.write(&BLOCK[..size])?;
        left -= size;
    }
    output.blocking_flush()
}

fn received(request: &IncomingRequest) -> u64 {
    let body = request.consume().unwrap();
    let input = body.stream().unwrap();
    let mut bytes = 0;
    while let Ok(block) = input.blocking_read(BLOCK.len() as u64) {
        bytes += block.len() as u64;
    }
    bytes
}

wasi::http::proxy::export!(Transfers);
