// An Application with one handler for each thing that only a real connection shows.
import { setTimeout as sleep } from "node:timers/promises";
import {
  Application,
  addslash,
  authenticated,
  HTTPError,
  RequestHandler,
  removeslash,
  StaticFileHandler,
  StreamClosedError,
  WebSocketHandler,
} from "waterspout";

class Hello extends RequestHandler {
  override get(): void {
    this.write("hello");
  }
}

class Status extends RequestHandler {
  override get(status: string): void {
    this.setStatus(Number(status));
  }
}

class Reason extends RequestHandler {
  override async get(): Promise<void> {
    this.setStatus(200, this.getArgument("reason"));
    this.write("x".repeat(Number(this.getArgument("bytes"))));
    if (this.getArgument("flush", null) !== null) await this.flush();
  }
}

class Slow extends RequestHandler {
  override async get(): Promise<void> {
    await sleep(60_000, undefined, { signal: this.request.signal }).catch(() => {});
  }
  override onConnectionClose(): void {
    console.error(`the client of ${this.request.path} is gone`);
  }
}

class Stream extends RequestHandler {
  override async get(): Promise<void> {
    for (let part = 0; part < 3; part++) {
      this.write(`part ${part}\n`);
      await this.flush();
    }
  }
}

/** Writes for ever: only back-pressure ends it. */
class Endless extends RequestHandler {
  override async get(): Promise<void> {
    let bytes = 0;
    const block = Buffer.alloc(65_536, "x");
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

/** Says one length and writes another, `flushed` or not. */
class Length extends RequestHandler {
  override async get(length: string, flushed: string): Promise<void> {
    this.setHeader("Content-Length", length);
    this.write("ok");
    if (flushed === "flushed") await this.flush();
    if (length === "3") this.write("more");
  }
}

class Throw extends RequestHandler {
  override async get(): Promise<void> {
    await null;
    throw new Error("thrown by a handler of the web layer");
  }
}

class Upload extends RequestHandler {
  static override readonly streamRequestBody = true;
  #bytes = 0;

  override prepare(): void {
    if (!this.request.headers.has("x-key")) throw new HTTPError(401);
  }
  override async dataReceived(chunk: Buffer): Promise<void> {
    this.#bytes += chunk.length;
    if (this.request.headers.has("x-wait")) await sleep(60_000, undefined, { signal: this.request.signal });
  }
  override post(): void {
    this.write(String(this.#bytes));
  }
}

class Form extends RequestHandler {
  override post(): void {
    this.write({ a: this.getBodyArguments("a"), files: this.getFiles().map(({ name, size }) => [name, size]) });
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
  }
}

class Folder extends RequestHandler {
  @addslash
  override get(): void {
    this.write("folder");
  }
}

class Page extends RequestHandler {
  @removeslash
  override get(): void {
    this.write("page");
  }
}

class Login extends RequestHandler {
  override get(): void {
    this.setSignedCookie("user", this.getArgument("user"));
  }
}

class Who extends WebSocketHandler<string> {
  override setDefaultHeaders(): void {
    this.setHeader("X-Frame-Options", "DENY");
  }
  override getCurrentUser(): string | null {
    return this.getSignedCookie("user");
  }
  override async prepare(): Promise<void> {
    await sleep(10);
    if (this.currentUser === null) throw new HTTPError(401);
    this.setCookie("seen", "yes");
  }
  override async onMessage(message: string | Buffer): Promise<void> {
    await this.writeMessage(`${this.currentUser} in ${this.getArgument("room")} says ${message}`);
  }
}

class Echo extends WebSocketHandler {
  override async onMessage(message: string | Buffer): Promise<void> {
    await this.writeMessage(message);
  }
}

export default new Application(
  [
    ["/", Hello],
    ["/status/([0-9]+)", Status],
    ["/reason", Reason],
    ["/slow", Slow],
    ["/stream", Stream],
    ["/endless", Endless],
    ["/length/([0-9]+)/(\\w+)", Length],
    ["/throw", Throw],
    ["/upload", Upload],
    ["/form", Form],
    ["/private", Private],
    ["/folder/?", Folder],
    ["/page/?", Page],
    ["/ws", Echo],
    ["/login", Login],
    ["/who", Who],
    ["/files/(.*)", StaticFileHandler, { path: process.env.FILES ?? "." }],
  ],
  { cookieSecret: "secret", loginUrl: "/login", compressResponse: true, trustedOrigins: ["https://friend.example"] },
);
