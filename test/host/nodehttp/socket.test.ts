// What `req.socket` is: a Duplex that has a stream's state only when it is used as one.
import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import type { HTTPServerRequest } from "waterspout";
import { RequestSocket } from "../../../dist/host/nodehttp/socket.js";

function socketOf(): { socket: RequestSocket; cuts: () => number } {
  let cuts = 0;
  const request = { cancel: () => cuts++, remoteAddress: null, tls: null };
  return { socket: RequestSocket.of(request as unknown as HTTPServerRequest, null), cuts: () => cuts };
}

test("listening and leaving make no stream of it; destroy cuts once and says so once", async () => {
  const { socket, cuts } = socketOf();
  const heard: string[] = [];
  const listener = () => heard.push("removed");
  socket.on("close", listener);
  socket.off("close", listener);
  socket.on("close", () => heard.push("close"));
  socket.on("error", (error) => heard.push(error.message));
  expect([socket instanceof Duplex, socket.destroyed, socket.readable, socket.writable]).toEqual([
    true,
    false,
    true,
    true,
  ]);
  expect(Object.hasOwn(socket, "_readableState")).toBe(false);
  socket.destroy(new Error("cut"));
  socket.destroy();
  await new Promise((resolve) => socket.on("close", resolve));
  expect([heard, cuts(), socket.destroyed, socket.writable]).toEqual([["cut", "close"], 1, true, false]);
});

test("used as a stream it is one, through which no byte goes", async () => {
  const { socket, cuts } = socketOf();
  const written = new Promise((resolve) => socket.write("x", resolve));
  expect(await written).toMatchObject({ message: expect.stringContaining("write to the response") });
  expect([cuts(), socket.destroyed]).toEqual([1, true]);
  const { socket: read } = socketOf();
  read.on("data", () => {});
  expect([read.readableFlowing, Object.hasOwn(read, "_readableState")]).toEqual([true, true]);
  read.destroy();
});
