// Websockets of every kind that the tests want, by path; /notes answers with what their handlers have seen since it was
// last asked.
import { setTimeout as sleep } from "node:timers/promises";
import { type HTTPServerRequest, type MessageCompressionOptions, WebSocketHandler } from "waterspout";

const notes: unknown[] = [];
const BLOCK = Buffer.alloc(64 << 10, "waterspout");

class Noting extends WebSocketHandler {
  override onMessage(message: string | Buffer): void | Promise<void> {
    return this.writeMessage(message);
  }
  override onClose(): void {
    notes.push([this.request.path, this.closeCode, this.closeReason]);
  }
}

/** Echoes; the query says how it compresses. */
class Deflating extends Noting {
  override getCompressionOptions(): MessageCompressionOptions {
    const { query } = this.request;
    return {
      thresholdBytes: Number(query.get("threshold") ?? 0),
      noContextTakeover: query.has("notakeover"),
      maxWindowBits: Number(query.get("bits") ?? 15),
    };
  }
}

class Small extends Deflating {
  static override maxMessageBytes = 1000;
}

/** Sends a gigabyte to a client that reads it. */
class Pushing extends Noting {
  override open(): void {
    void this.push().catch((error) => notes.push(["push", error.code]));
  }
  async push(): Promise<void> {
    for (let count = 0; count < 16_384; count++) await this.writeMessage(BLOCK);
  }
}

/** Takes its time over each message. */
class Slow extends Noting {
  override async onMessage(message: string | Buffer): Promise<void> {
    await sleep(Number(this.request.query.get("ms")));
    await this.writeMessage(message);
  }
}

class Pinging extends Noting {
  static override websocketPingIntervalMs = 100;
  override onPong(): void {
    notes.push("pong");
  }
}

class Choosing extends Noting {
  override selectSubprotocol(list: readonly string[]): string | null {
    return list.includes("second") ? "second" : null;
  }
  override open(): void {
    void this.writeMessage(String(this.selectedSubprotocol));
  }
}

class Friendly extends Noting {
  override checkOrigin(origin: string): boolean {
    return origin === "http://friend.example";
  }
}

/** That of docs/tour.md, word for word. */
const members = new Set<Room>();

class Room extends Noting {
  override open(): void {
    members.add(this);
  }
  override onMessage(message: string | Buffer): void {
    for (const member of members) member.writeMessage(message);
  }
  override onClose(): void {
    members.delete(this);
    super.onClose();
  }
}

class Closing extends Noting {
  override open(): void {
    void this.writeMessage("bye");
    this.close(4000, "that is all");
  }
}

class Throwing extends Noting {
  override onMessage(): void {
    throw new Error("thrown by a websocket");
  }
}

class Who extends Noting {
  override open(): void {
    void this.writeMessage(JSON.stringify([this.request.remoteAddress, this.setNodelay(true)]));
  }
}

const handlers: Record<string, typeof Noting> = {
  "/echo": Noting,
  "/deflate": Deflating,
  "/small": Small,
  "/push": Pushing,
  "/slow": Slow,
  "/ping": Pinging,
  "/choose": Choosing,
  "/friends": Friendly,
  "/room": Room,
  "/close": Closing,
  "/throw": Throwing,
  "/who": Who,
};

export default function websockets(request: HTTPServerRequest): void {
  const handler = handlers[request.path];
  if (handler !== undefined) return handler.serve(request);
  if (request.path === "/notes") return request.respond(200, {}, JSON.stringify(notes.splice(0)));
  request.respond(404);
}
