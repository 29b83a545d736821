// An Application that needs nothing of Node but what a component has: it answers the same under the command and there.
import { setTimeout as sleep } from "node:timers/promises";
import {
  Application,
  addslash,
  authenticated,
  cors,
  EventStream,
  HTTPError,
  type HTTPServerRequest,
  RedirectHandler,
  RequestHandler,
  rateLimit,
  requestId,
  StreamClosedError,
} from "waterspout";

class Hello extends RequestHandler {
  override get(): void {
    this.write("hello");
  }
}

class User extends RequestHandler {
  override initialize({ greeting }: { greeting: string }): void {
    this.setHeader("X-Greeting", greeting);
  }
  override get({ name }: { name: string }): void {
    this.write({ name, url: this.reverseUrl("user", "ü b"), tag: "</script>" });
  }
}

class Arguments extends RequestHandler {
  override get(): void {
    this.write({ one: this.getArgument("a"), all: this.getArguments("a"), none: this.getArgument("none", null) });
  }
  override post(): void {
    this.write({ body: this.getBodyArguments("a"), query: this.getQueryArguments("a"), size: this.body.length });
  }
  override put(): void {
    const { a } = this.getJSON<{ a: number }>();
    this.write({ a, text: this.body.toString("utf8"), isBuffer: Buffer.isBuffer(this.body) });
  }
}

class Private extends RequestHandler<string> {
  override getCurrentUser(): string | null {
    return this.getSignedCookie("user");
  }
  @authenticated
  override get(): void {
    this.write(`hello ${this.currentUser}`);
  }
  override post(): void {
    this.setSignedCookie("user", this.getArgument("name"));
    this.setCookie("plain", "a b", { httpOnly: true });
    this.clearCookie("old");
    this.redirect("/private");
  }
}

class Token extends RequestHandler {
  override get(): void {
    this.write(this.xsrfToken);
  }
  override post(): void {
    this.checkXSRFCookie();
    this.write("not forged");
  }
}

class Pieces extends RequestHandler {
  override async get(): Promise<void> {
    for (let piece = 0; piece < 3; piece++) {
      this.write(piece === 1 ? new TextEncoder().encode("piece 1\n") : `piece ${piece}\n`);
      await this.flush();
    }
  }
}

/** Writes for ever: only back-pressure, and then the client's leaving, ends it. */
class Endless extends RequestHandler {
  override async get(): Promise<void> {
    const block = Buffer.alloc(65_536, "x");
    let bytes = 0;
    try {
      for (;;) {
        this.write(block);
        await this.flush();
        bytes += block.length;
      }
    } catch (error) {
      if (error instanceof StreamClosedError) console.error(`endless: the client took about ${bytes >> 20} MiB`);
      throw error;
    }
  }
}

class Slow extends RequestHandler {
  override async get(): Promise<void> {
    console.error("slow has begun");
    await sleep(60_000, undefined, { signal: this.request.signal }).catch(() => {});
  }
  override onConnectionClose(): void {
    console.error(`the client of ${this.request.path} is gone`);
  }
  override onFinish(): void {
    console.error("slow has ended");
  }
}

class Upload extends RequestHandler {
  static override readonly streamRequestBody = true;
  #bytes = 0;

  override prepare(): void {
    if (!this.request.headers.has("x-key")) throw new HTTPError(401, { headers: { "X-Why": "no key" } });
  }
  override async dataReceived(chunk: Buffer): Promise<void> {
    this.#bytes += chunk.length;
  }
  override post(): void {
    this.write(String(this.#bytes));
  }
}

class Form extends RequestHandler {
  override post(): void {
    this.write({ a: this.getBodyArguments("a"), files: this.getFiles().length });
  }
}

/** Takes the files of a form itself. */
async function takeFiles(request: HTTPServerRequest): Promise<void> {
  const files: [string, number][] = [];
  const { fields } = await request.readForm({
    async onFile(file) {
      let bytes = 0;
      for await (const block of file) bytes += block.length;
      files.push([file.filename, bytes]);
    },
  });
  request.respond(200, {}, JSON.stringify({ files, fields: [...fields] }));
}

class Length extends RequestHandler {
  override async get(length: string, flushed: string): Promise<void> {
    this.setHeader("Content-Length", length);
    this.write("ok");
    if (flushed === "flushed") await this.flush();
    if (length === "3") this.write("more");
  }
}

class Fail extends RequestHandler {
  override async get(how: string): Promise<void> {
    if (how === "begun") {
      this.write("begun");
      await this.flush();
    }
    if (how === "status") throw new HTTPError(418, { reason: "no", logMessage: "a teapot" });
    throw new Error(`thrown on purpose: ${how}`);
  }
  override writeError(status: number, error: unknown): void {
    this.setHeader("Content-Type", "text/plain");
    this.finish(`own page of ${status}, ${error instanceof HTTPError}`);
  }
}

class Throw extends RequestHandler {
  override get(): void {
    throw new Error("thrown by a handler");
  }
}

class Status extends RequestHandler {
  override get(status: string): void {
    this.setStatus(Number(status));
  }
}

class Bytes extends RequestHandler {
  override get(bytes: string): void {
    this.write("x".repeat(Number(bytes)));
  }
}

class Folder extends RequestHandler {
  @addslash
  override get(): void {
    this.write("folder");
  }
}

class Events extends RequestHandler {
  override async get(): Promise<void> {
    const events = new EventStream();
    void events.send({ data: { n: 1 }, event: "first" }).then(() => events.close());
    await events.serve(this);
  }
}

const answerLater = (request: HTTPServerRequest): void => {
  setTimeout(() => request.respond(202, {}, "later"), 5);
};

const limited = rateLimit({ requests: 1, windowMs: 3_600_000 });

export default new Application(
  [
    ["/", Hello],
    ["/users/:name", User, { greeting: "hi" }, "user"],
    ["/arguments", Arguments],
    ["/private", Private],
    ["/token", Token],
    ["/pieces", Pieces],
    ["/endless", Endless],
    ["/slow", Slow],
    ["/upload", Upload],
    ["/form", Form],
    ["/files", takeFiles],
    ["/length/([0-9]+)/(\\w+)", Length],
    ["/fail/(\\w+)", Fail],
    ["/throw", Throw],
    ["/status/([0-9]+)", Status],
    ["/folder/?", Folder],
    ["/events", Events],
    ["/old/(.*)", RedirectHandler, { url: "/users/{0}" }],
    ["/function", (request) => request.respond(201, {}, "a function")],
    ["/function/later", answerLater],
    ["/response", () => new Response("a Response", { status: 203, headers: { "X-Own": "1" } })],
    ["/bytes/([0-9]+)", Bytes],
    ["/nested", [["/nested", Hello]]],
  ],
  {
    cookieSecret: "secret",
    loginUrl: "/login",
    middleware: [
      requestId({ trust: true }),
      cors({ origins: ["https://friend.example"] }),
      (request, next) => (request.path === "/limited" ? limited(request, next) : next()),
    ],
  },
);
