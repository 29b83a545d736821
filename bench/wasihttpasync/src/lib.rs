// A component of wasi:http 0.3 in Rust that answers every request with the same hello: the least that one can do.

use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::{wit_bindgen, wit_future, wit_stream};

struct Hello;

impl wasip3::exports::http::handler::Guest for Hello {
    async fn handle(_request: Request) -> Result<Response, ErrorCode> {
        let fields = Fields::new();
        fields.append("content-type", b"text/plain").unwrap();
        fields.append("content-length", b"12").unwrap();
        let (mut body, contents) = wit_stream::new();
        let (_, end) = wit_future::new(|| Ok(None)); // dropped, it is this
        let (response, _) = Response::new(fields, Some(contents), end);
        wit_bindgen::spawn_local(async move {
            body.write_all(b"Hello, world".to_vec()).await;
        });
        Ok(response)
    }
}

wasip3::http::service::export!(Hello);
