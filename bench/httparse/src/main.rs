// httparse over a buffer full of requests: `heads FILE fresh|kept SECONDS`, where FILE holds whole request heads and nothing else.
//   fresh   as httparse's documentation shows it: a new table of 64 empty fields for each request
//   kept    a table that is never cleared, which is the fastest that its interface allows
// It prints one line of JSON: the requests a second of CPU time in its best slice, and how many fields one pass has found.

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use httparse::{Header, Request, Status, EMPTY_HEADER};

const FRESH_FIELDS: usize = 64;
const KEPT_FIELDS: usize = 100; // as many as Waterspout takes
const SLICE: Duration = Duration::from_millis(20);

/// The size of the head that `bytes` begin with, and the number of its fields; ends the program if it is malformed.
fn parse_fresh(bytes: &[u8]) -> (usize, usize) {
    let mut table = [EMPTY_HEADER; FRESH_FIELDS];
    let mut request = Request::new(&mut table);
    let result = request.parse(bytes);
    size_and_fields(result, &request)
}

fn parse_kept(bytes: &[u8]) -> (usize, usize) {
    let mut table = [const { MaybeUninit::<Header>::uninit() }; KEPT_FIELDS];
    let mut request = Request::new(&mut []);
    let result = request.parse_with_uninit_headers(bytes, &mut table);
    size_and_fields(result, &request)
}

fn size_and_fields(result: httparse::Result<usize>, request: &Request) -> (usize, usize) {
    match result {
        Ok(Status::Complete(size)) => (size, black_box(request).headers.len()),
        other => panic!("httparse refused the request: {other:?}"),
    }
}

/// Requests and fields of one pass.
fn pass(bytes: &[u8], parse: impl Fn(&[u8]) -> (usize, usize)) -> (u64, u64) {
    let (mut at, mut requests, mut fields) = (0, 0, 0);
    while at < bytes.len() {
        let (size, found) = parse(&bytes[at..]);
        at += size;
        fields += found as u64;
        requests += 1;
    }
    (requests, fields)
}

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanos: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

const PROCESS_CPU_CLOCK: i32 = 2; // clock_gettime(2) on Linux

/// What this process has run so far.
fn cpu_seconds() -> f64 {
    let mut time = Timespec { seconds: 0, nanos: 0 };
    // SAFETY: the call fills the struct that it is given, which has the layout of 64-bit Linux.
    assert_eq!(unsafe { clock_gettime(PROCESS_CPU_CLOCK, &mut time) }, 0);
    time.seconds as f64 + time.nanos as f64 / 1e9
}

fn measure(bytes: &[u8], seconds: f64, parse: impl Fn(&[u8]) -> (usize, usize)) {
    let (_, fields) = pass(bytes, &parse);
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let mut best = 0.0_f64;
    while Instant::now() < until {
        let (started_at, before) = (Instant::now(), cpu_seconds());
        let mut requests = 0;
        while started_at.elapsed() < SLICE {
            requests += pass(black_box(bytes), &parse).0;
        }
        best = best.max(requests as f64 / (cpu_seconds() - before));
    }
    println!("{{\"perSecond\":{best:.0},\"fields\":{fields}}}");
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, variant, seconds] = arguments.as_slice() else { panic!("usage: heads FILE fresh|kept SECONDS") };
    let bytes = std::fs::read(file).expect("the file");
    let seconds = seconds.parse().expect("seconds");
    match variant.as_str() {
        "fresh" => measure(&bytes, seconds, parse_fresh),
        "kept" => measure(&bytes, seconds, parse_kept),
        _ => panic!("no variant {variant}"),
    }
}
