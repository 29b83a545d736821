// What the core calls of the handler's component about websockets, and where the parts of its actions for them stand in
// memory: see calls.ts. Reference: wit/waterspout.wit, `websockets`.

// @ts-ignore: decorator
@external("waterspout:app/websockets@0.2.0", "offered")
export declare function offered(id: u32): void;
// @ts-ignore: decorator
@external("waterspout:app/websockets@0.2.0", "data")
export declare function data(id: u32, bytes: usize, size: i32, isText: bool, compressed: bool, last: bool): void;
// @ts-ignore: decorator
@external("waterspout:app/websockets@0.2.0", "ping")
export declare function ping(id: u32, bytes: usize, size: i32): void;
// @ts-ignore: decorator
@external("waterspout:app/websockets@0.2.0", "pong")
export declare function pong(id: u32, bytes: usize, size: i32): void;
// @ts-ignore: decorator
@external("waterspout:app/websockets@0.2.0", "sent")
export declare function sent(id: u32, bytes: u32): void;
// @ts-ignore: decorator
@external("waterspout:app/websockets@0.2.0", "ending")
export declare function ending(id: u32): void;
// @ts-ignore: decorator
@external("waterspout:app/websockets@0.2.0", "closed")
export declare function closed(id: u32, code: i32, why: i32, words: usize, wordsSize: i32): void;

/** `reason` has its cases in the order of core/reasons.ts, from 0 on. */
export const REASON_FIRST: i32 = 1;

// action: its case
export const OFFER_WEBSOCKETS: u8 = 11;
export const ACCEPT: u8 = 12;
export const MESSAGE: u8 = 13;
export const PING: u8 = 14;
export const CLOSE_WEBSOCKET: u8 = 15;

// accept
export const FIELDS: usize = 4;
export const FIELDS_SIZE: usize = 8;
export const MESSAGE_BYTES: usize = 12;
export const DEFLATE: usize = 16;

// message: its kind is the opcode
export const KIND: usize = 4;
export const COMPRESSED: usize = 5;
export const REST: usize = 8;
export const MESSAGE_SOURCE: usize = 12;
export const MESSAGE_SIZE: usize = 16;

// ping
export const PING_SOURCE: usize = 4;
export const PING_SIZE: usize = 8;

// close-websocket
export const CODE: usize = 4;
export const WORDS: usize = 8;
export const WORDS_SIZE: usize = 12;
