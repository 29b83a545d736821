// What the core calls of the handler's component, by the names of the canonical ABI, and where the parts of an outcome
// stand in memory. Reference: wit/waterspout.wit; the component model's CanonicalABI.md (flattening, alignment).

// @ts-ignore: decorator
@external("waterspout:app/handler@0.2.0", "request")
export declare function request(
  id: u32,
  method: usize,
  methodSize: i32,
  target: usize,
  targetSize: i32,
  fields: usize,
  fieldsSize: i32,
  peer: usize,
  peerSize: i32,
  hasBody: bool,
  body: usize,
  bodySize: i32,
  complete: bool,
): void;
// @ts-ignore: decorator
@external("waterspout:app/handler@0.2.0", "body")
export declare function body(id: u32, data: usize, size: i32, last: bool): void;
// @ts-ignore: decorator
@external("waterspout:app/handler@0.2.0", "sent")
export declare function sent(id: u32): void;
// @ts-ignore: decorator
@external("waterspout:app/handler@0.2.0", "ended")
export declare function ended(id: u32): void;
// @ts-ignore: decorator
@external("waterspout:app/handler@0.2.0", "closed")
export declare function closed(id: u32): void;
// @ts-ignore: decorator
@external("waterspout:app/handler@0.2.0", "timers")
export declare function timers(): void;
// @ts-ignore: decorator
@external("waterspout:app/handler@0.2.0", "settle")
export declare function settle(): void;
// @ts-ignore: decorator
@external("waterspout:app/handler@0.2.0", "collect")
export declare function collect(outcomeOut: usize): void;

// A list or a text is an address and a count.

// outcome
export const OUTCOME_BYTES: i32 = 20;
export const OUTCOME_HAS_WAIT: usize = 8;
export const OUTCOME_WAIT: usize = 12;
export const OUTCOME_UNSETTLED: usize = 16;

// action: its case, and from ACTION_VALUE on what is in it
export const ACTION_BYTES: i32 = 56;
export const ACTION_VALUE: usize = 8;
export const ANSWER: u8 = 0;
export const PIECE: u8 = 1;
export const CREDIT: u8 = 2;
export const ABORT: u8 = 3;
export const LOG: u8 = 4;

// answer
export const ANSWER_STATUS: usize = 4;
export const ANSWER_FIELDS: usize = 8;
export const ANSWER_HAS_LENGTH: usize = 16;
export const ANSWER_LENGTH: usize = 24;
export const ANSWER_CONTENT: usize = 36; // text and bytes are the same here: only an encoding differs
export const ANSWER_LAST: usize = 44;

// piece
export const PIECE_CONTENT: usize = 8;
export const PIECE_LAST: usize = 16;

// credit
export const CREDIT_BYTES: usize = 4;
