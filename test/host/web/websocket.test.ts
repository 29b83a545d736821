// Websockets that belong to an application: what a WebSocketHandler can do because it is a RequestHandler.
import { afterEach, describe, expect, test, vi } from "vitest";
import * as f from "../../../host/bridge/frames.js";
import { REASONS } from "../../../host/core/errors.js";
import {
  Application,
  type ApplicationSettings,
  HTTPError,
  HTTPServer,
  type RouteInput,
  WebSocketHandler,
} from "../../../host/index.js";
import { FakeWorker, type Frame, frame, u16 } from "../support/fakeworker.js";
import { fieldsOf, HANDSHAKE, handshake, ID, settle, text } from "../support/websocketsupport.js";

afterEach(() => {
  vi.useRealTimers();
});

/** What was called, in order, of the handlers of one test. */
let calls: unknown[] = [];

class Noting extends WebSocketHandler<string, { greeting?: string }> {
  override setDefaultHeaders(): void {
    calls = ["setDefaultHeaders"];
    this.setHeader("X-Frame-Options", "DENY");
    this.setHeader("Content-Type", "text/html");
  }
  override initialize(options?: object): void {
    calls.push(["initialize", options]);
  }
  override prepare(): void | Promise<void> {
    calls.push("prepare");
  }
  override onFinish(): void {
    calls.push("onFinish");
  }
  override open(...args: unknown[]): void {
    calls.push(["open", ...args]);
  }
  override onMessage(message: string | Buffer): void {
    calls.push(message);
  }
  override onClose(): void {
    calls.push(["close", this.closeCode]);
  }
}

function serve(routes: RouteInput[], settings: ApplicationSettings = {}): FakeWorker {
  const application = new Application(routes, settings);
  return new FakeWorker((logger) => new HTTPServer(application, { logger }).acceptor()).ready();
}

async function answerTo(worker: FakeWorker, headers: [string, string][] = [], parts = {}): Promise<Frame> {
  worker.emit(handshake(ID, headers, parts));
  const answers = await worker.receivedAnswers();
  expect(answers.length).toBe(1);
  return answers[0];
}

/** The status of an answer; 101 for WS_ACCEPT. */
function statusOf({ type, payload }: Frame): number {
  return type === f.FRAME_WS_ACCEPT ? 101 : payload.readUInt16LE(0);
}

test("the order of calls: those of every handler, then those of a websocket; open has what the path's groups hold", async () => {
  const worker = serve([["/:place", Noting, { some: "options" }]]);
  expect(statusOf(await answerTo(worker))).toBe(101);
  worker.emit(text("hello"), frame(f.FRAME_WS_ENDING, ID));
  worker.emit(frame(f.FRAME_WS_CLOSED, ID, u16(1000, REASONS.CLOSED)));
  expect(calls).toEqual([
    "setDefaultHeaders",
    ["initialize", { some: "options" }],
    "prepare",
    "onFinish",
    ["open", { place: "ws" }],
    "hello",
    ["close", 1000],
  ]);
});

test("fields and cookies of the handler are in the 101, without what is about a body or the connection", async () => {
  class Setting extends Noting {
    override prepare(): void {
      this.setHeader("Date", "Thu, 01 Jan 1970 00:00:00 GMT");
      this.setHeader("Connection", "close");
      this.setHeader("Content-Length", 5);
      this.addHeader("Vary", "Cookie");
      this.setCookie("seen", "yes");
    }
    override selectSubprotocol(): string {
      return "chat";
    }
  }
  const answer = await answerTo(serve([["/ws", Setting]]), [["sec-websocket-protocol", "chat"]]);
  expect(fieldsOf(answer)).toEqual([
    ["X-Frame-Options", "DENY"],
    ["Vary", "Cookie"],
    ["Set-Cookie", "seen=yes; Path=/"],
    ["Sec-WebSocket-Protocol", "chat"],
  ]);
});

test("what changes an answer throws when the websocket is open", async () => {
  const thrown: string[] = [];
  class Late extends Noting {
    override open(): void {
      const late: (() => unknown)[] = [
        () => this.setStatus(503),
        () => this.setCookie("a", "b"),
        () => this.setHeader("A", "b"),
        () => this.write("x"),
        () => this.redirect("/"),
        () => this.finish(),
      ];
      for (const each of late) {
        try {
          each();
        } catch (error) {
          thrown.push((error as Error).name);
        }
      }
    }
  }
  await answerTo(serve([["/ws", Late]]));
  expect(thrown).toEqual(Array(6).fill("HTTPOutputError"));
});

describe("who is logged in", () => {
  class Private extends Noting {
    override getCurrentUser(): string | null {
      return this.getSignedCookie("user");
    }
    override async prepare(): Promise<void> {
      await settle();
      if (this.currentUser === null) throw new HTTPError(401);
    }
    override open(): void {
      calls.push([this.currentUser, this.getArgument("room"), this.settings.greeting]);
    }
  }
  const settings = { cookieSecret: "secret", greeting: "hello" };
  const worker = (): FakeWorker => serve([["/ws", Private]], settings);

  test("is asked as its page does, after a prepare that takes its time", async () => {
    const made = new Application([], settings);
    class Login extends Noting {
      cookie = this.createSignedValue("user", "ada");
    }
    const { cookie } = new Login(made, undefined as never);
    const rig = worker();
    rig.emit(handshake(ID, [["cookie", `user=${cookie}`]], { target: "/ws?room=7" }));
    const answers: Frame[] = [];
    while (answers.length === 0) answers.push(...(await rig.receivedAnswers()));
    expect(answers.map(statusOf)).toEqual([101]);
    expect(calls.at(-1)).toEqual(["ada", "7", "hello"]);
  });

  test.each([[[]], [[["cookie", "user=forged"]] as [string, string][]]])(
    "no user, by %j: 401, and no websocket",
    async (headers) => {
      const rig = worker();
      rig.emit(handshake(ID, headers));
      const answers: Frame[] = [];
      while (answers.length === 0) answers.push(...(await rig.receivedAnswers()));
      expect(answers.map(statusOf)).toEqual([401]);
      expect(answers[0].payload.toString("latin1")).toContain("X-Frame-OptionsDENY");
      expect(calls.at(-1)).toBe("onFinish");
    },
  );

  test("a client that leaves while prepare waits: no websocket, nothing logged", async () => {
    const rig = worker();
    rig.emit(handshake(ID), frame(f.FRAME_ABORT, ID, u16(REASONS.RESET)));
    await settle();
    await settle();
    expect(await rig.receivedAnswers()).toEqual([]);
    expect(rig.log.filter((line) => line.startsWith("error"))).toEqual([]);
  });
});

test("a prepare that finishes answers in place of the websocket", async () => {
  class Elsewhere extends Noting {
    override prepare(): void {
      this.redirect("/login");
    }
  }
  expect(statusOf(await answerTo(serve([["/ws", Elsewhere]])))).toBe(302);
  expect(calls).not.toContainEqual(["open"]);
});

test.each([
  ["POST", { method: 3 }],
  ["HEAD", { method: 2 }],
  ["DELETE", { method: 5 }],
])("%s is 405, and what is allowed is GET", async (_, parts) => {
  const answer = await answerTo(serve([["/ws", Noting]]), [], { flags: f.REQUEST_END, headers: HANDSHAKE, ...parts });
  expect(statusOf(answer)).toBe(405);
  expect(answer.payload.toString("latin1")).toMatch(/AllowGET(?!, )/);
});

test("what is no opening handshake is refused with the handler's fields", async () => {
  const answer = await answerTo(serve([["/ws", Noting]]), [], { flags: f.REQUEST_END, headers: [["host", "x"]] });
  expect(statusOf(answer)).toBe(400);
  expect(answer.payload.toString("latin1")).toContain("X-Frame-OptionsDENY");
  expect(calls.at(-1)).toBe("onFinish");
});

describe("pages of other origins", () => {
  const FRIEND = "https://friend.example";
  const settings = { trustedOrigins: [FRIEND] };
  test.each<[string, [string, string][], number]>([
    ["of its own site", [["origin", "https://example.com"]], 101],
    ["of a trusted origin", [["origin", FRIEND]], 101],
    [
      "of a trusted origin, as a browser says it",
      [
        ["origin", FRIEND],
        ["sec-fetch-site", "cross-site"],
      ],
      101,
    ],
    ["of another origin", [["origin", "https://foe.example"]], 403],
    [
      "of another origin, as a browser says it",
      [
        ["origin", "https://foe.example"],
        ["sec-fetch-site", "cross-site"],
      ],
      403,
    ],
    [
      "of a site beside it",
      [
        ["origin", "https://example.com"],
        ["sec-fetch-site", "same-site"],
      ],
      403,
    ],
    [
      "of its own origin behind a proxy that names another Host",
      [
        ["origin", "https://public.example"],
        ["sec-fetch-site", "same-origin"],
      ],
      101,
    ],
    ["that is no page", [], 101],
  ])("a client %s: %j is answered with %d", async (_, headers, status) => {
    expect(statusOf(await answerTo(serve([["/ws", Noting]], settings), headers))).toBe(status);
  });

  test("checkTrustedOrigin and checkOrigin may say otherwise", async () => {
    class Trusting extends Noting {
      override checkTrustedOrigin(origin: string): boolean {
        return origin.endsWith(".friend.example");
      }
    }
    class Open extends Noting {
      override checkOrigin(): boolean {
        return true;
      }
    }
    const routes: RouteInput[] = [
      ["/trusting", Trusting],
      ["/open", Open],
    ];
    const asked = async (target: string, origin: string): Promise<number> =>
      statusOf(await answerTo(serve(routes, settings), [["origin", origin]], { target }));
    expect(await asked("/trusting", "https://a.friend.example")).toBe(101);
    expect(await asked("/trusting", FRIEND)).toBe(403);
    expect(await asked("/open", "null")).toBe(101);
  });
});

describe("settings of the application", () => {
  test("hold for its websockets: the size of messages, the pings", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const worker = serve([["/ws", Noting]], {
      websocketMaxMessageBytes: 1234,
      websocketPingIntervalMs: 1000,
      websocketPingTimeoutMs: 300,
    });
    const accept = await answerTo(worker);
    expect(accept.payload.readUInt32LE(0)).toBe(1234);
    vi.advanceTimersByTime(1000);
    expect((await worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WS_SEND_PING]);
    vi.advanceTimersByTime(300);
    expect((await worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WS_CLOSE]);
  });

  test("give way to what the class says, and that to the options of serve", async () => {
    class Small extends Noting {
      static override maxMessageBytes = 100;
    }
    const settings = { websocketMaxMessageBytes: 1234 };
    expect((await answerTo(serve([["/ws", Small]], settings))).payload.readUInt32LE(0)).toBe(100);
    const worker = serve([["/ws", (request) => Small.serve(request, [], { maxMessageBytes: 7 })]], settings);
    expect((await answerTo(worker)).payload.readUInt32LE(0)).toBe(7);
  });

  test("that cannot be: 500, and logged where the application logs", async () => {
    const log: unknown[] = [];
    const note = (...given: unknown[]): void => void log.push(given);
    const logger = { debug: note, info: note, warn: note, error: note };
    const worker = serve([["/ws", Noting]], { websocketPingIntervalMs: -1, logger });
    expect(statusOf(await answerTo(worker))).toBe(500);
    expect(String((log[0] as [{ err: Error }])[0].err)).toMatch(/websocketPingIntervalMs/);
    expect(worker.log).toEqual([]);
  });
});
