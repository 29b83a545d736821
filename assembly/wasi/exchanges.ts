// Exchanges of wasi:http, by their handles: one contract over 0.2, which has one at a time, and over 0.3.
//
//   readMethod, readTarget, readAuthority, readFields, hasBody   the request, found as http/found.ts says
//   addField, clearFields, answer                                the answer's head
//   isSending                                                    some of what was written waits with the platform
//   end                                                          everything is given back
//   brought(handle)                                              the exchange has come on: its task may have to know
//
// Bodies are read and written by the platform, index.ts.

import * as one from "./http/exchange";
import * as many from "./httpasync/exchange";
import { wakeTask } from "./httpasync/tasks";

// @ts-ignore: decorator
@inline export function readMethod(handle: i32): i32 {
  return WASI == 5 ? many.readMethod(handle) : one.readMethod();
}
// @ts-ignore: decorator
@inline export function readTarget(handle: i32): bool {
  return WASI == 5 ? many.readTarget(handle) : one.readTarget();
}
// @ts-ignore: decorator
@inline export function readAuthority(handle: i32): bool {
  return WASI == 5 ? many.readAuthority(handle) : one.readAuthority();
}
// @ts-ignore: decorator
@inline export function readFields(handle: i32): void {
  if (WASI == 5) many.readFields(handle);
  else one.readFields();
}
// @ts-ignore: decorator
@inline export function hasBody(handle: i32): bool {
  return WASI == 5 ? many.hasBody(handle) : one.hasBody();
}
// @ts-ignore: decorator
@inline export function addField(handle: i32, name: usize, nameSize: i32, value: usize, valueSize: i32): bool {
  if (WASI == 5) return many.addField(handle, name, nameSize, value, valueSize);
  return one.addField(name, nameSize, value, valueSize);
}
// @ts-ignore: decorator
@inline export function clearFields(handle: i32): void {
  if (WASI == 5) many.clearFields(handle);
  else one.clearFields();
}
// @ts-ignore: decorator
@inline export function answer(handle: i32, status: i32, hasBody: bool): bool {
  return WASI == 5 ? many.answer(handle, status, hasBody) : one.answer(status);
}
// @ts-ignore: decorator
@inline export function isSending(handle: i32): bool {
  return WASI == 5 ? many.isSending(handle) : false;
}
// @ts-ignore: decorator
@inline export function end(handle: i32, isWhole: bool): void {
  if (WASI == 5) many.end(handle, isWhole);
  else one.end(isWhole);
}
// @ts-ignore: decorator
@inline export function brought(handle: i32): void {
  if (WASI == 5) wakeTask(handle);
}
