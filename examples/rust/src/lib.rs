//! A handler in Rust that is plugged into the core of a component: a hello, an echo of a body, and a wait for a timer.
//!
//! Without Rust's standard library, which would ask the runtime for files, streams and environment that a handler is not
//! given. Reference: wit/waterspout.wit.
#![no_std]
extern crate alloc;

use alloc::alloc::{Layout, alloc, realloc};
use alloc::{format, string::String, vec::Vec};
use core::cell::RefCell;

wit_bindgen::generate!({ world: "application", path: "../../wit/waterspout.wit" });

use exports::waterspout::app::handler::{Action, Answer, Content, Credit, Guest, Outcome};
use waterspout::app::platform::monotonic_now;

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

const WAIT_MS: u64 = 100;
/// How much of a body may come ahead.
const CREDIT_BYTES: u32 = 256 * 1024;

/// A body that comes piece by piece.
struct Upload {
    id: u32,
    data: Vec<u8>,
}

/// A request that is answered when its time has come, in nanoseconds.
struct Waiting {
    id: u32,
    until: u64,
}

struct State {
    actions: Vec<Action>,
    uploads: Vec<Upload>,
    waiting: Vec<Waiting>,
    visits: u32,
}

/// One call at a time: a component has one thread, and the core makes no call inside another.
struct Alone(RefCell<State>);
unsafe impl Sync for Alone {}

static STATE: Alone = Alone(RefCell::new(State {
    actions: Vec::new(),
    uploads: Vec::new(),
    waiting: Vec::new(),
    visits: 0,
}));

fn answer(id: u32, status: u16, content: Content) -> Action {
    let fields = String::from("\ncontent-type:text/plain");
    Action::Answer(Answer { id, status, fields, length: None, content, last: true })
}

struct Handler;

impl Guest for Handler {
    fn request(
        id: u32,
        method: String,
        target: String,
        _fields: String,
        peer: String,
        body: Option<Vec<u8>>,
        complete: bool,
    ) {
        let state = &mut *STATE.0.borrow_mut();
        match (method.as_str(), target.as_str()) {
            ("GET", "/") => {
                state.visits += 1;
                let text = format!("Hello from Rust, {peer}: request {}\n", state.visits);
                state.actions.push(answer(id, 200, Content::Text(text)));
            }
            ("POST", "/echo") if complete => {
                state.actions.push(answer(id, 200, Content::Bytes(body.unwrap_or_default())));
            }
            ("POST", "/echo") => {
                state.uploads.push(Upload { id, data: Vec::new() });
                state.actions.push(Action::Credit(Credit { id, bytes: CREDIT_BYTES }));
            }
            ("GET", "/wait") => {
                state.waiting.push(Waiting { id, until: monotonic_now() + WAIT_MS * 1_000_000 });
            }
            _ => state.actions.push(answer(id, 404, Content::Text(String::from("Not Found\n")))),
        }
    }

    fn body(id: u32, data: Vec<u8>, last: bool) {
        let state = &mut *STATE.0.borrow_mut();
        let Some(at) = state.uploads.iter().position(|upload| upload.id == id) else { return };
        let upload = &mut state.uploads[at];
        upload.data.extend_from_slice(&data);
        if last {
            let content = Content::Bytes(state.uploads.swap_remove(at).data);
            state.actions.push(answer(id, 200, content));
        } else {
            state.actions.push(Action::Credit(Credit { id, bytes: data.len() as u32 }));
        }
    }

    fn sent(_id: u32) {}

    fn ended(_id: u32) {}

    fn closed(id: u32) {
        let state = &mut *STATE.0.borrow_mut();
        state.uploads.retain(|upload| upload.id != id);
        state.waiting.retain(|waiting| waiting.id != id);
    }

    fn timers() {
        let state = &mut *STATE.0.borrow_mut();
        let now = monotonic_now();
        for Waiting { id, .. } in state.waiting.extract_if(.., |waiting| waiting.until <= now) {
            state.actions.push(answer(id, 200, Content::Text(String::from("waited\n"))));
        }
    }

    async fn settle() {}

    fn collect() -> Outcome {
        let state = &mut *STATE.0.borrow_mut();
        let wait_ms = (!state.waiting.is_empty()).then(|| {
            let next = state.waiting.iter().map(|waiting| waiting.until).min().unwrap_or(0);
            next.saturating_sub(monotonic_now()).div_ceil(1_000_000) as u32
        });
        Outcome { actions: core::mem::take(&mut state.actions), wait_ms, unsettled: false }
    }
}

export!(Handler);

/// Where the core puts what it hands over. The standard library would bring this.
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    let place = unsafe {
        match (old_size, size) {
            (0, 0) => return core::ptr::without_provenance_mut(align),
            (0, _) => alloc(Layout::from_size_align_unchecked(size, align)),
            _ => realloc(old, Layout::from_size_align_unchecked(old_size, align), size),
        }
    };
    if place.is_null() {
        core::arch::wasm32::unreachable();
    }
    place
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
