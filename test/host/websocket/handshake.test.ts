// The opening handshake of WebSocketHandler over a scripted sandbox: what is accepted, and the status of each refusal.
import { describe, expect, test } from "vitest";
import * as f from "../../../host/bridge/frames.js";
import { REASONS } from "../../../host/core/errors.js";
import { HTTPServer } from "../../../host/index.js";
import { FakeWorker, type Frame, frame, u16 } from "../support/fakeworker.js";
import {
  fieldsOf,
  HANDSHAKE,
  handshake,
  ID,
  Noting,
  OTHER_ID,
  open,
  serve,
  settle,
} from "../support/websocketsupport.js";

function statusOf({ type, payload }: Frame): number {
  expect(type).toBe(f.FRAME_RESPONSE);
  return payload.readUInt16LE(0);
}

describe("the opening handshake", () => {
  test("is accepted: the default size, no extension, no further fields", async () => {
    const { accept, handler } = await open(serve());
    expect(accept.payload.toString("hex")).toBe("0000a0000000" + "0000");
    expect(handler.notes).toEqual([["open"]]);
    expect([handler.isOpen, handler.closeCode, handler.closeReason, handler.selectedSubprotocol]).toEqual([
      true,
      null,
      null,
      null,
    ]);
    expect(handler.request.path).toBe("/ws");
  });

  const without = (name: string): [string, string][] => HANDSHAKE.filter(([field]) => field !== name);
  const instead = (name: string, value: string): [string, string][] => [...without(name), [name, value]];
  test.each([
    ["POST", { method: 3, headers: HANDSHAKE }, 405, "Method Not Allowed"],
    ["without Upgrade", { headers: without("upgrade") }, 400, 'Can "Upgrade" only to "WebSocket".'],
    ["to h2c", { headers: instead("upgrade", "h2c") }, 400, 'Can "Upgrade" only to "WebSocket".'],
    ["without Connection", { headers: without("connection") }, 400, '"Connection" must be "Upgrade".'],
    ["of version 8", { headers: instead("sec-websocket-version", "8") }, 426, "The WebSocket version must be 13"],
    ["without a key", { headers: without("sec-websocket-key") }, 400, "Sec-WebSocket-Key is missing"],
    ["without a version", { headers: without("sec-websocket-version") }, 426, "The WebSocket version must be 13"],
  ])("%s is refused", async (_, parts, status, body) => {
    const { worker, handlers } = serve();
    worker.emit(handshake(ID, [], { flags: f.REQUEST_END, ...parts }));
    const [answer] = await worker.receivedAnswers();
    expect(statusOf(answer)).toBe(status);
    expect(answer.payload.toString("latin1")).toContain(body);
    const head = answer.payload.toString("latin1").toLowerCase();
    expect(head.includes("sec-websocket-version13")).toBe(status === 426);
    expect(head.includes("allowget")).toBe(status === 405);
    expect(handlers.map(({ notes }) => notes)).toEqual([[]]);
  });

  test.each([
    ["http://example.com", true],
    ["http://EXAMPLE.com:80", true],
    ["https://example.com", true],
    ["http://example.com:8080", false],
    ["http://other.com", false],
    ["http://sub.example.com", false],
    ["http://example.com, http://example.com", false],
    ["null", false],
    ["file://", false],
    ["", false],
  ])("from the origin %j: %s", async (origin, accepted) => {
    const { worker, handlers } = serve();
    worker.emit(handshake(ID, [["origin", origin]]));
    const [answer] = await worker.receivedAnswers();
    if (accepted) expect(answer.type).toBe(f.FRAME_WS_ACCEPT);
    else expect(statusOf(answer)).toBe(403);
    expect(handlers[0].notes).toEqual(accepted ? [["open"]] : []);
  });
});

describe("origins", () => {
  test("from the same origin on another port, where Host names it", async () => {
    const { worker } = serve();
    const headers: [string, string][] = [...HANDSHAKE.slice(1), ["host", "x:81"], ["origin", "http://x:81"]];
    worker.emit(handshake(ID, [], { headers }));
    expect((await worker.receivedAnswers())[0].type).toBe(f.FRAME_WS_ACCEPT);
  });

  test("from an origin that the handler allows", async () => {
    const { worker, handlers } = serve((handler) => {
      handler.checkOrigin = (origin) => origin === "http://friend";
    });
    worker.emit(handshake(ID, [["origin", "http://friend"]]), handshake(OTHER_ID, [["origin", "http://foe"]]));
    const [first, second] = await worker.receivedAnswers();
    expect([first.type, statusOf(second)]).toEqual([f.FRAME_WS_ACCEPT, 403]);
    expect(handlers.map(({ notes }) => notes)).toEqual([[["open"]], []]);
  });
});

describe("subprotocols and extensions", () => {
  test("with subprotocols: the handler chooses, and sees all lists", async () => {
    let seen: readonly string[] = [];
    const rig = serve((handler) => {
      handler.selectSubprotocol = (list) => {
        seen = list;
        return list[1];
      };
    });
    const { accept, handler } = await open(rig, [
      ["sec-websocket-protocol", "a , b"],
      ["sec-websocket-protocol", "c"],
    ]);
    expect(seen).toEqual(["a", "b", "c"]);
    expect(fieldsOf(accept)).toEqual([["Sec-WebSocket-Protocol", "b"]]);
    expect(handler.selectedSubprotocol).toBe("b");
  });

  test("without an offer: the handler hears it, and nothing is chosen", async () => {
    const offers: (readonly string[])[] = [];
    const rig = serve((handler) => {
      handler.selectSubprotocol = (list) => {
        offers.push(list);
        return "chat";
      };
    });
    const { accept, handler } = await open(rig, []);
    expect([offers, fieldsOf(accept), handler.selectedSubprotocol]).toEqual([[[]], [], null]);
  });

  test("with a choice that was not offered: 500", async () => {
    const { worker } = serve((handler) => {
      handler.selectSubprotocol = () => "other";
    });
    worker.emit(handshake(ID, [["sec-websocket-protocol", "a"]]));
    expect(statusOf((await worker.receivedAnswers())[0])).toBe(500);
    expect(worker.log[0]).toMatch(/error the handler of GET \/ws failed: .*"other"/);
  });

  test("with malformed extensions: 400, also where nothing is compressed", async () => {
    const { worker } = serve();
    worker.emit(handshake(ID, [["sec-websocket-extensions", "permessage-deflate; =1"]]));
    expect(statusOf((await worker.receivedAnswers())[0])).toBe(400);
  });
});

describe("an accepted or answered handshake", () => {
  test("that has been answered cannot be answered again, nor the other way round", async () => {
    const errors: unknown[] = [];
    const attempt = (code: () => void): void => {
      try {
        code();
      } catch (error) {
        errors.push((error as Error).name);
      }
    };
    const makeAcceptor = () =>
      new HTTPServer((request) => {
        const { connection } = request;
        if (request.path === "/ws") Noting.serve(request);
        else request.respond(200);
        attempt(() => request.respond(200));
        attempt(() => Noting.serve(request));
        if (request.path === "/ws") void connection.writeHeaders(200).catch((error) => errors.push(error.name));
        expect(request.finished).toBe(true);
      }).acceptor();
    const worker = new FakeWorker(makeAcceptor).ready();
    worker.emit(handshake(ID), handshake(OTHER_ID, [], { target: "/" }));
    expect((await worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WS_ACCEPT, f.FRAME_RESPONSE]);
    await settle();
    expect(errors).toEqual([...Array(4).fill("HTTPOutputError"), "StreamClosedError"]);
  });

  test("meets the end of its connection: ABORT, then onClose with 1006", async () => {
    const { worker, handlers } = serve();
    worker.emit(handshake(), frame(f.FRAME_END, ID), frame(f.FRAME_ABORT, ID, u16(REASONS.RESET)));
    await settle();
    expect(handlers[0].notes).toEqual([["open"], ["close", 1006, ""]]);
    await expect(handlers[0].writeMessage("x")).rejects.toMatchObject({ code: "WEBSOCKET_CLOSED", reason: "RESET" });
  });

  test("whose peer had left before the handler accepted it makes no websocket", async () => {
    let accept = (): void => {};
    const handlers: Noting[] = [];
    class Late extends Noting {
      constructor(...given: ConstructorParameters<typeof Noting>) {
        super(...given);
        handlers.push(this);
      }
    }
    const worker = new FakeWorker(() =>
      new HTTPServer((request) => {
        accept = () => Late.serve(request);
      }).acceptor(),
    ).ready();
    worker.emit(handshake(), frame(f.FRAME_ABORT, ID, u16(REASONS.END)));
    accept();
    expect(await worker.receivedAnswers()).toEqual([]);
    expect(handlers[0].notes).toEqual([]);
    expect(() => handlers[0].writeMessage("x")).toThrow(/not open/);
  });

  test("gives open what serve was given, and settings win over the class's", async () => {
    class Small extends Noting {
      static override maxMessageBytes = 100;
    }
    const handlers: Small[] = [];
    const worker = new FakeWorker(() =>
      new HTTPServer((request) => {
        class Kept extends Small {
          override open(...args: unknown[]): void {
            handlers.push(this);
            super.open(...args);
          }
        }
        Kept.serve(request, ["room", 1], request.path === "/ws" ? {} : { maxMessageBytes: 200 });
      }).acceptor(),
    ).ready();
    worker.emit(handshake(ID), handshake(OTHER_ID, [], { target: "/other" }));
    const accepts = await worker.receivedAnswers();
    expect(accepts.map(({ payload }) => payload.readUInt32LE(0))).toEqual([100, 200]);
    expect(handlers[0].notes).toEqual([["open", "room", 1]]);
  });

  test.each([
    ["maxMessageBytes", 0],
    ["maxMessageBytes", 2 ** 31],
    ["websocketPingIntervalMs", -1],
    ["websocketPingIntervalMs", 1.5],
    ["websocketPingTimeoutMs", -1],
  ])("with the setting %s %d: 500", async (name, value) => {
    const { worker } = serve(() => {}, { websocketPingIntervalMs: 1000, [name]: value });
    worker.emit(handshake());
    expect(statusOf((await worker.receivedAnswers())[0])).toBe(500);
    expect(worker.log[0]).toContain(name);
  });
});
