// What the tests of websockets over the bridge share: the host's frames, and a websocket that it has accepted.
import { expect } from "vitest-pool-assemblyscript/assembly";
import * as frames from "../../../assembly/bridge/frames";
import { Peer, connect } from "../../../assembly/wasi/sim/net";
import { HTTP, begun, config, frame, heard, idOf, tell, u16s, u32s } from "./bridge";
import { received } from "./http";
import { ACCEPTED, handshake } from "./websockets";

/** Of a handshake, as REQUEST shows them. */
export const FIELDS: string =
  "host=x|upgrade=websocket|connection=Upgrade|sec-websocket-version=13|sec-websocket-key=dGhlIHNhbXBsZSBub25jZQ==|";

export function accept(
  number: i32,
  messageBytesMax: u32 = 0,
  flags: i32 = 0,
  name: string = "",
  value: string = "",
): string {
  const rows = name.length ? 1 : 0;
  const sizes = rows ? u16s(name.length) + u16s(value.length) : "";
  const head = u32s(messageBytesMax) + u16s(flags) + u16s(rows);
  return frame(frames.FRAME_WS_ACCEPT, idOf(number), head + sizes + name + value);
}

/** A message, or a piece of it, of which `rest` bytes follow. */
export function data(number: i32, opcode: i32, bytes: string, rest: i64 = 0, flags: i32 = 0): string {
  const head = u16s(opcode | (flags << 8)) + u16s(i32(rest & 0xffff)) + u32s(u32(rest >> 16));
  return frame(frames.FRAME_WS_SEND, idOf(number), head + bytes);
}

export function credit(number: i32, bytes: u32): string {
  return frame(frames.FRAME_BODY_CREDIT, idOf(number), u32s(bytes));
}

export function bye(number: i32, code: i32, words: string = ""): string {
  return frame(frames.FRAME_WS_CLOSE, idOf(number), u16s(code) + words);
}

/** A websocket that the host has accepted, number 1. */
export function opened(window: u32 = 0): Peer {
  begun(config(HTTP, window));
  const peer = connect();
  peer.send(handshake("/ws"));
  expect(heard()).toBe("REQUEST#1(1,1,11,0 /ws|" + FIELDS + ")");
  expect(tell(accept(1))).toBe("");
  expect(received(peer)).toBe(ACCEPTED + "\r\n");
  return peer;
}
