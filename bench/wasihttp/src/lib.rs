// A component of wasi:http 0.2 in Rust that answers every request with the same hello: the least that one can do.

use wasi::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

struct Hello;

impl wasi::exports::http::incoming_handler::Guest for Hello {
    fn handle(_request: IncomingRequest, outparam: ResponseOutparam) {
        let fields = Fields::new();
        fields.append(&"content-type".into(), &b"text/plain".to_vec()).unwrap();
        fields.append(&"content-length".into(), &b"12".to_vec()).unwrap();
        let response = OutgoingResponse::new(fields);
        let body = response.body().unwrap();
        ResponseOutparam::set(outparam, Ok(response));
        let output = body.write().unwrap();
        output.blocking_write_and_flush(b"Hello, world").unwrap();
        drop(output);
        OutgoingBody::finish(body, None).unwrap();
    }
}

wasi::http::proxy::export!(Hello);
