// What the core calls of the handler's component about streams, and where the parts of its actions for them stand in
// memory: see calls.ts. Reference: wit/waterspout.wit, `streams`.

// @ts-ignore: decorator
@external("waterspout:app/streams@0.2.0", "opened")
export declare function opened(id: u32, address: usize, addressSize: i32, port: i32): void;
// @ts-ignore: decorator
@external("waterspout:app/streams@0.2.0", "data")
export declare function data(id: u32, bytes: usize, size: i32, last: bool): void;
// @ts-ignore: decorator
@external("waterspout:app/streams@0.2.0", "read-failed")
export declare function readFailed(id: u32, why: i32): void;
// @ts-ignore: decorator
@external("waterspout:app/streams@0.2.0", "ended")
export declare function ended(id: u32): void;
// @ts-ignore: decorator
@external("waterspout:app/streams@0.2.0", "sent")
export declare function sent(id: u32, bytes: u32): void;
// @ts-ignore: decorator
@external("waterspout:app/streams@0.2.0", "closed")
export declare function closed(id: u32, why: i32): void;

/** `reason` has its cases in the order of core/reasons.ts, from 0 on. */
export const REASON_FIRST: i32 = 1;
/** The last of them. */
export const REASON_LAST: i32 = 9;

// action: its case
export const SERVE_STREAMS: u8 = 5;
export const READ_UNTIL: u8 = 6;
export const READ_BYTES: u8 = 7;
export const WRITE: u8 = 8;
export const FINISH: u8 = 9;
export const CLOSE: u8 = 10;

// stream-settings
export const CONNECTIONS_MAX: usize = 0;
export const IDLE_TIMEOUT: usize = 4;
export const WRITE_TIMEOUT: usize = 8;
export const HALF_CLOSE_TIMEOUT: usize = 12;
export const BUFFER_BYTES: usize = 16;
export const MEMORY_BYTES: usize = 20;
export const PROXY_PROTOCOL: usize = 24;

// read-until
export const DELIMITER: usize = 4;
export const DELIMITER_SIZE: usize = 8;
export const UNTIL_BYTES: usize = 12;

// read-bytes
export const COUNT: usize = 4;
export const PARTIAL: usize = 8;

// write
export const WRITTEN: usize = 4;
export const WRITTEN_SIZE: usize = 8;
