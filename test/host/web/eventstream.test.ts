// Server-sent events: what an event looks like, at whose pace they leave, and the bound on what waits.
import { describe, expect, test } from "vitest";

import { EventStream, type ServerSentEvent, StreamClosedError } from "../../../host/index.js";

const reader = (events: EventStream) => (events.response.body as ReadableStream<Uint8Array>).getReader();

test.each<[ServerSentEvent, string]>([
  [{ data: "text" }, "data: text\n\n"],
  [{ data: "" }, "data: \n\n"],
  [{ data: "a\nb\r\nc\rd" }, "data: a\ndata: b\ndata: c\ndata: d\n\n"],
  [{ data: ["a", 1] }, 'data: ["a",1]\n\n'],
  [{ data: null }, "data: null\n\n"],
  [{ event: "e", id: "", data: "ü", retry: 0 }, "event: e\nid: \nretry: 0\ndata: ü\n\n"],
  [{ retry: 1000 }, "retry: 1000\n\n"],
])("%j", async (event, text) => {
  const events = new EventStream();
  const sent = events.send(event);
  events.send({ data: "next" });
  const read = reader(events);
  expect(Buffer.from((await read.read()).value as Uint8Array).toString()).toBe(text);
  await read.read();
  await sent;
  events.close();
});

test.each<[string, ServerSentEvent]>([
  ["event", { event: "a\nb" }],
  ["id", { id: "a\rb" }],
  ["id", { id: "a\0b" }],
  ["retry", { retry: 1.5 }],
])("an %s that would be more than its line is refused", (name, event) => {
  expect(() => new EventStream().send(event)).toThrow(name);
});

describe("its pace and its end", () => {
  test("an event is sent when more is asked for", async () => {
    const events = new EventStream({ heartbeatMs: 0 });
    const done: number[] = [];
    for (const number of [1, 2]) void events.send({ data: number }).then(() => done.push(number));
    const read = reader(events);
    await read.read();
    expect(done).toEqual([]);
    await read.read();
    expect(done).toEqual([1]);
    const third = read.read();
    void events.send({ data: 3 });
    expect((await third).done).toBe(false);
    events.close();
  });

  test("what waits has its bound: one byte more ends the stream", async () => {
    const bytes = Buffer.byteLength("data: 1234\n\n");
    for (const [bufferBytesMax, isOpen] of [
      [2 * bytes, true],
      [2 * bytes - 1, false],
    ] as const) {
      const events = new EventStream({ bufferBytesMax });
      const first = events.send({ data: "1234" });
      const second = events.send({ data: "1234" });
      expect(events.signal.aborted).toBe(!isOpen);
      if (isOpen) continue;
      await expect(first).rejects.toThrow(StreamClosedError);
      await expect(second).rejects.toThrow(StreamClosedError);
      expect((await reader(events).read()).done).toBe(true);
    }
    const single = new EventStream({ bufferBytesMax: 1 });
    void single.send({ data: "one event may be larger" });
    expect(single.signal.aborted).toBe(false);
  });

  test("a client that leaves ends it, and so does close; what is sent then is refused", async () => {
    const left = new EventStream();
    await left.response.body?.cancel();
    expect(left.signal.aborted).toBe(true);
    await expect(left.send({ data: 1 })).rejects.toThrow(StreamClosedError);
    const closed = new EventStream();
    const next = reader(closed).read();
    closed.close();
    closed.close();
    expect((await next).done).toBe(true);
  });

  test("numbers out of range are refused", () => {
    expect(() => new EventStream({ heartbeatMs: -1 })).toThrow("heartbeatMs");
    expect(() => new EventStream({ bufferBytesMax: 0 })).toThrow("bufferBytesMax");
  });
});
