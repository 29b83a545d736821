// `make soak`: 50,000 connections on each way to serve without Node, which clients end in each way that there is. Memory
// and descriptors are back where they began after the first 5,000, else it ends with 1. The handles of a component, which
// count on, are held by test/e2e/componentsockets.test.ts.
import { readdirSync } from "node:fs";
import net from "node:net";

import { residentBytes } from "../e2e/support/processes.js";
import {
  COMPONENT,
  COMPONENT_ASYNC,
  COMPONENT_LATER,
  eventually,
  HTTP,
  HTTP_ASYNC,
  SANDBOXED_BARE,
  start,
  type Way,
  wasmtime,
} from "../e2e/support/ways.js";

const WARM = 5000;
const CONNECTIONS = 50_000;
const AT_ONCE = 50;
/** 84 bytes that each connection leaves behind are more. */
const GROWTH_BYTES_MAX = 4 << 20;
/** A runtime opens one or another for itself. */
const DESCRIPTORS_MORE_MAX = 8;
const GET = "GET / HTTP/1.1\r\nHost: x\r\n";

/**
 * One request on a connection of its own, which ends by an answer that closes, a half-close, a reset, a close, a
 * timer's answer, or a reset before that.
 */
function connection(port: number, nth: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1").on("error", () => {});
    socket.on("close", () => resolve()).resume();
    const manner = nth % 6;
    if (manner === 0) socket.write(`${GET}Connection: close\r\n\r\n`);
    else if (manner === 1) socket.end(`${GET}\r\n`);
    else if (manner === 4) socket.write("GET /slow?ms=5 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    else if (manner === 5) socket.write("GET /slow?ms=5 HTTP/1.1\r\nHost: x\r\n\r\n", () => socket.resetAndDestroy());
    else socket.once("data", () => (manner === 2 ? socket.resetAndDestroy() : socket.destroy())).write(`${GET}\r\n`);
  });
}

async function connections(port: number, count: number): Promise<void> {
  let left = count;
  const client = async (): Promise<void> => {
    while (left > 0) await connection(port, left--);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
}

async function soak(way: Way, args: string[] = []): Promise<boolean> {
  const server = await start(way, way.demo, args);
  try {
    const descriptors = (): number => readdirSync(`/proc/${server.pid}/fd`).length;
    const atFirst = descriptors();
    await connections(server.port, WARM);
    const before = residentBytes(server.pid);
    await connections(server.port, CONNECTIONS);
    await eventually("descriptors given back", () => descriptors() <= atFirst + DESCRIPTORS_MORE_MAX).catch(() => {});
    const grown = residentBytes(server.pid) - before;
    const more = descriptors() - atFirst;
    console.log(
      `${way.name}: ${Math.round(grown / 1024)} KiB, ${more} descriptors more after ${CONNECTIONS} connections`,
    );
    return grown <= GROWTH_BYTES_MAX && more <= DESCRIPTORS_MORE_MAX;
  } finally {
    await server.stop();
  }
}

const passed = [
  await soak(SANDBOXED_BARE),
  await soak(COMPONENT),
  await soak(COMPONENT_LATER),
  await soak(COMPONENT_ASYNC),
  await soak({ ...HTTP, wasmtime: wasmtime("wasmtime-async") }, ["--max-instance-reuse-count", "100000"]),
  await soak(HTTP_ASYNC),
];
process.exit(passed.every(Boolean) ? 0 : 1);
