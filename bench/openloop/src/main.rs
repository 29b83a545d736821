//! Sends GET / at a fixed rate over keep-alive connections, and measures each answer from the moment its request was due.
//! So a server that stalls is charged for every request that should have been sent meanwhile; a load that waits for
//! answers would leave them out ("coordinated omission").
//! It polls without sleeping, since timers of a millisecond would be most of what it measures: it wants a core to itself.
//! Usage: openloop PORT RATE SECONDS CONNECTIONS; prints one line of JSON, times in microseconds.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const BODY: &[u8] = b"Hello, world";
const CHUNKED: &[u8] = b": chunked\r\n";
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";
const ANSWER_MAX: usize = 4096;
const GRACE: Duration = Duration::from_secs(5); // for what is still due when the time is up

struct Connection {
    socket: TcpStream,
    due: Instant,
    answer: Vec<u8>,
}

impl Connection {
    /// Whether its answer is whole. A body that is not the hello is an error, and so is a close.
    fn read(&mut self) -> Result<bool, Error> {
        let mut block = [0; ANSWER_MAX];
        loop {
            match self.socket.read(&mut block) {
                Ok(0) => return Err(Error::new(ErrorKind::UnexpectedEof, "the server closed a connection")),
                Ok(length) => self.answer.extend_from_slice(&block[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if self.answer.len() > ANSWER_MAX || !b"HTTP/1.1 200".starts_with(&self.answer[..self.answer.len().min(12)]) {
            return Err(Error::new(ErrorKind::InvalidData, String::from_utf8_lossy(&self.answer)));
        }
        let chunked = self.answer.windows(CHUNKED.len()).any(|window| window == CHUNKED);
        Ok(self.answer.ends_with(if chunked { LAST_CHUNK } else { BODY }))
    }
}

fn run(port: u16, rate: f64, seconds: f64, count: usize) -> Result<String, Error> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(count);
    let mut connections = Vec::with_capacity(count);
    for index in 0..count {
        // Connected before the clock starts, so that no connect counts.
        let socket = std::net::TcpStream::connect(("127.0.0.1", port))?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        poll.registry().register(&mut socket, Token(index), Interest::READABLE)?;
        connections.push(Connection { socket, due: Instant::now(), answer: Vec::with_capacity(ANSWER_MAX) });
    }

    let mut idle: VecDeque<usize> = (0..count).collect();
    let mut times = Histogram::<u64>::new_with_max(60_000_000, 3).expect("three digits up to a minute");
    let total = (rate * seconds) as u64;
    let mut sent = 0;
    let start = Instant::now();
    let due = |index: u64| start + Duration::from_secs_f64(index as f64 / rate);
    while times.len() < total {
        let now = Instant::now();
        while sent < total && due(sent) <= now {
            let Some(index) = idle.pop_front() else { break };
            let connection = &mut connections[index];
            connection.due = due(sent);
            connection.answer.clear();
            connection.socket.write_all(REQUEST)?; // a kept connection has room for 40 bytes
            sent += 1;
        }
        poll.poll(&mut events, Some(Duration::ZERO))?;
        for event in events.iter() {
            let index = event.token().0;
            let connection = &mut connections[index];
            if connection.read()? {
                times.saturating_record(connection.due.elapsed().as_micros() as u64);
                idle.push_back(index);
            }
        }
        if now > due(total) + GRACE {
            return Err(Error::new(ErrorKind::TimedOut, format!("{} of {total} requests were answered", times.len())));
        }
    }
    let percentile = |percent: f64| times.value_at_percentile(percent);
    Ok(format!(
        r#"{{"count":{total},"p50Micros":{},"p90Micros":{},"p99Micros":{},"p999Micros":{},"maxMicros":{}}}"#,
        percentile(50.0),
        percentile(90.0),
        percentile(99.0),
        percentile(99.9),
        times.max()
    ))
}

fn main() {
    let numbers: Vec<f64> = std::env::args().skip(1).map(|text| text.parse().expect("numbers")).collect();
    let [port, rate, seconds, connections] = numbers[..] else { panic!("usage: openloop PORT RATE SECONDS CONNECTIONS") };
    match run(port as u16, rate, seconds, connections as usize) {
        Ok(line) => println!("{line}"),
        Err(error) => {
            eprintln!("openloop: {error}");
            std::process::exit(1);
        }
    }
}
