// Memory that runs out: who is refused, who is ended, and who goes on.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { BODY, bytesInUse, setMemoryBytesMax, takeBlock } from "../../../assembly/bytes/buffer";
import { CHANNEL_WAITING_BYTES_MAX } from "../../../assembly/core/limits";
import { Peer, connect, network } from "../../../assembly/wasi/sim/net";
import {
  HTTP,
  STREAMS,
  begun,
  config,
  echo,
  heard,
  marked,
  readBytes,
  stopEchoing,
  tell,
  write,
} from "../support/bridge";
import { client, exchange, get, handler, isAlive, ok, post, received, server } from "../support/http";
import { pattern, settle, turn } from "../support/sim";

const MIB: i32 = 1 << 20;

/** Sends a body of this size but for its last byte. */
function upload(size: i32): Peer {
  const peer = client();
  const request = post("/echo", pattern(size));
  peer.send(request.substr(0, request.length - 1));
  settle();
  return peer;
}

describe("bodies that are collected", () => {
  test("up to three quarters of the memory; one that does not fit is refused with 503, and the others go on", () => {
    setMemoryBytesMax(16 * MIB);
    const held: Array<Peer> = [];
    for (let i = 0; i < 5; i++) held.push(upload(2 * MIB));
    held.push(upload(MIB));
    expect(i32(bytesInUse())).toBe(11 * MIB);
    for (let i = 0; i < 6; i++) expect(held[i].output.size).toBe(0);
    const refused = upload(MIB); // would grow from 512 KiB to 1 MiB
    const answer = received(refused);
    expect(answer).toContain("\r\nRetry-After: 1\r\n");
    expect(answer.startsWith("HTTP/1.1 503 ")).toBe(true);
    expect(refused.ended).toBe(true);
    expect(takeBlock(MIB, BODY) == 0).toBe(false);
    const other = client();
    expect(exchange(other, post("/echo", ""))).toBe(ok(""));
    expect(takeBlock(1, BODY) == 0).toBe(true);
    const late = client();
    expect(exchange(late, post("/echo", "x")).startsWith("HTTP/1.1 503 ")).toBe(true);
    expect(isAlive(other)).toBe(true); // who has no body is served
    const last = pattern(2 * MIB);
    expect(exchange(held[0], last.substr(last.length - 1)).endsWith(last)).toBe(true);
    expect(exchange(other, post("/echo", "fits"))).toBe(ok("fits"));
  });

  test("that grow beyond it are refused in the middle, and leave their memory to the others", () => {
    setMemoryBytesMax(16 * MIB);
    const first = upload(8 * MIB);
    expect(i32(bytesInUse())).toBe(8 * MIB);
    const second = upload(3 * MIB);
    expect(received(second).startsWith("HTTP/1.1 503 ")).toBe(true);
    expect(i32(bytesInUse())).toBe(8 * MIB);
    expect(handler.take()).toBe("/echo /echo gone(6)");
    const last = pattern(8 * MIB);
    expect(exchange(first, last.substr(last.length - 1)).length).toBeGreaterThan(8 * MIB);
  });
});

describe("streams of a host", () => {
  test("the one that holds the most is ended, and the channel goes on", () => {
    begun(config(STREAMS, 0, 0, 0, 0, 0, 0, 16 * MIB));
    const hog = connect();
    const small = connect();
    heard();
    hog.room = 0;
    const piece = pattern(100000);
    for (let i = 0; i < 40; i++) expect(tell(write(1, piece))).toBe("");
    expect(i32(bytesInUse())).toBe(4 * MIB);
    let said = "";
    let others = 0; // each holds 128 KiB
    for (; others < 100 && !said.includes("CLOSED"); others++) {
      connect().room = 0;
      said = heard();
      if (!said.includes("CLOSED")) said = tell(write(others + 3, piece));
    }
    expect(others).toBe((14 - 4) * 8 + 1);
    expect(said.endsWith("CLOSED#1(6)")).toBe(true);
    expect(hog.closed).toBe(true);
    expect(i32(bytesInUse())).toBe(10 * MIB); // who asked for what was not there has gone, too
    small.send("hello");
    expect(tell(readBytes(2, 5))).toBe("DATA_END#2(hello)");
  });

  test("a read's result that does not fit ends its stream", () => {
    begun(config(STREAMS, 0, 0, 0, 0, 0, 0, MIB));
    const peer = connect();
    const other = connect();
    heard();
    stopEchoing();
    peer.send(pattern(4 * MIB));
    let said = tell(readBytes(1, 4 * MIB));
    other.send("hello");
    for (let i = 0; i < 200 && !said.includes("hello"); i++) said += tell(readBytes(2, 5) + echo(marked));
    expect(said.includes("hello")).toBe(true);
  });
});

describe("a host that is behind", () => {
  test("is sent little by one turn, however many connections have something; all of it comes, none too late", () => {
    begun(config(HTTP, 1 << 20));
    stopEchoing();
    const peers: Array<Peer> = [];
    for (let i = 0; i < 12; i++) peers.push(connect());
    heard();
    const body = pattern(100000);
    for (let i = 0; i < 12; i++) peers[i].send(post("/", body));
    turn();
    expect(i32(bytesInUse())).toBeLessThanOrEqual(2 * CHANNEL_WAITING_BYTES_MAX);
    let said = heard();
    for (let i = 0; i < 2000 && said.split("BODY_END").length <= 12; i++) said = said + tell(echo(marked));
    expect(said.split("BODY_END").length).toBe(13);
    expect(said.includes("ABORT")).toBe(false);
    expect(network().logged).toBe("");
  });

  test("and has little memory itself: what does not fit ends its stream, and the host gets a frame for every end", () => {
    begun(config(STREAMS, 0, 0, 0, 0, 0, 0, MIB / 2));
    const peers: Array<Peer> = [];
    for (let i = 0; i < 220; i++) peers.push(connect());
    heard();
    stopEchoing();
    let reads = "";
    for (let i = 0; i < 8; i++) reads += readBytes(i + 1, 65536);
    for (let i = 8; i < 100; i++) reads += readBytes(i + 1, 1000);
    tell(reads);
    for (let i = 0; i < 8; i++) peers[i].send(pattern(65536));
    for (let i = 8; i < 100; i++) peers[i].send(pattern(1000));
    for (let i = 100; i < 220; i++) peers[i].reset();
    turn();
    for (let i = 0; i < 100; i++) if (!peers[i].closed) peers[i].reset();
    let said = heard();
    for (let i = 0; i < 50; i++) said += tell(echo(marked));
    expect(said.split("CLOSED").length - 1).toBe(220);
    expect(said.includes("(6)")).toBe(true);
    expect(i32(bytesInUse())).toBe(0);
    expect(network().logged).toBe("");
  });
});
