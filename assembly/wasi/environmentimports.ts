// What a module of preview1 asks of its runtime when its application reads its environment or its arguments; others do
// not have these imports. Reference: WASI snapshot 01, wasi_snapshot_preview1.witx.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_sizes_get")
export declare function environ_sizes_get(countOut: usize, sizeOut: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_get")
export declare function environ_get(textsOut: usize, bytesOut: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "args_sizes_get")
export declare function args_sizes_get(countOut: usize, sizeOut: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "args_get")
export declare function args_get(textsOut: usize, bytesOut: usize): i32;
