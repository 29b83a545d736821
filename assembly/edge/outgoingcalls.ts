// What the core calls of the handler's component about requests to other servers, and where the parts of its actions
// for them stand in memory: see calls.ts. Reference: wit/waterspout.wit, `outgoing`.

// @ts-ignore: decorator
@external("waterspout:app/outgoing@0.2.0", "head")
export declare function head(id: u32, status: i32, fields: usize, fieldsSize: i32): void;
// @ts-ignore: decorator
@external("waterspout:app/outgoing@0.2.0", "data")
export declare function data(id: u32, bytes: usize, size: i32, last: bool): void;
// @ts-ignore: decorator
@external("waterspout:app/outgoing@0.2.0", "sent")
export declare function sent(id: u32): void;
// @ts-ignore: decorator
@external("waterspout:app/outgoing@0.2.0", "failed")
export declare function failed(id: u32, why: usize, whySize: i32): void;
