/** What the handler wants done, until the core collects it. Reference: wit/waterspout.wit, `outcome`. */

export type Content = { tag: "text"; val: string } | { tag: "bytes"; val: Uint8Array };

export type Action =
  | {
      tag: "answer";
      val: { id: number; status: number; fields: string; length: number | null; content: Content; last: boolean };
    }
  | { tag: "piece" | "request-piece"; val: { id: number; content: Content; last: boolean } }
  | { tag: "credit" | "answer-credit"; val: { id: number; bytes: number } }
  | { tag: "abort" | "abort-request"; val: number }
  | { tag: "log"; val: string }
  | { tag: "serve-streams"; val: Readonly<Record<string, number | boolean>> }
  | { tag: "read-until"; val: { id: number; delimiter: Uint8Array; bytesMax: number } }
  | { tag: "read-bytes"; val: { id: number; bytes: number; partial: boolean } }
  | { tag: "write"; val: { id: number; bytes: Uint8Array } }
  | { tag: "finish" | "close"; val: number }
  | { tag: "offer-websockets" }
  | { tag: "accept"; val: { id: number; fields: string; messageBytesMax: number; deflate: boolean } }
  | {
      tag: "message";
      val: { id: number; kind: MessageKind; compressed: boolean; rest: number; bytes: Uint8Array };
    }
  | { tag: "ping"; val: { id: number; bytes: Uint8Array } }
  | { tag: "close-websocket"; val: { id: number; code: number; words: string } }
  | { tag: "send-request"; val: SendRequest };

export interface SendRequest {
  id: number;
  host: string;
  port: number;
  last: boolean;
  method: string;
  target: string;
  fields: string;
  body: Uint8Array;
}

export type MessageKind = "continuation" | "text" | "binary";

export const NOTHING: Content = { tag: "bytes", val: new Uint8Array(0) };

export function contentOf(body: string | Uint8Array | null): Content {
  if (body === null) return NOTHING;
  return typeof body === "string" ? { tag: "text", val: body.toWellFormed() } : { tag: "bytes", val: body };
}

let actions: Action[] = [];
let unsettled = false;

export function push(action: Action): void {
  actions.push(action);
}

/** A line for the log. Text that is no Unicode cannot cross to the core. */
export function log(line: string): void {
  push({ tag: "log", val: `${line.toWellFormed()}\n` });
}

/** Code of the application has run: it may have left promises to be settled. */
export function touch(): void {
  unsettled = true;
}

export function takeActions(): { actions: Action[]; unsettled: boolean } {
  const taken = { actions, unsettled };
  actions = [];
  unsettled = false;
  return taken;
}
