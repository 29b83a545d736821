export let ready: i32 = 0;
export function start(): void {}
export function listenerCount(): i32 {
  return 0;
}
export function listener(index: i32): i32 {
  return index;
}
export function openChannel(): i32 {
  return 0;
}
export function accept(listener: i32): i32 {
  return -1;
}
export function read(handle: i32, target: usize, size: i32): i32 {
  return 0;
}
export function write(handle: i32, source: usize, size: i32): i32 {
  return size;
}
export function channelWrite(source: usize, size: i32): i32 {
  return size;
}
export function shutdown(handle: i32): void {}
export function close(handle: i32): void {}
export function descriptor(handle: i32): u32 {
  return 0;
}
export function watch(handle: i32, interest: i32): void {}
export function hold(yes: bool): void {}
export function wait(timeoutNs: i64): void {}
export function restNs(): i64 {
  return 0;
}
export function next(): i32 {
  return -1;
}
export function now(): i64 {
  return 0;
}
export function unixSeconds(): i64 {
  return 0;
}
export function log(source: usize, size: i32): void {}
export function exit(code: i32): void {}
