// What the engine and the component's imports give, and no library of types knows: see wit/waterspout.wit.
declare module "waterspout:app/platform@0.2.0" {
  const platform: {
    systemNow(): { seconds: number; nanoseconds: number };
    monotonicNow(): number;
    randomBytes(size: number): Uint8Array;
  };
  export default platform;
}

// Modules of the host that are bundled as they are (scripts/bundle.mjs), with this folder's types in place of its own.
declare module "host:http/answerfields" {
  import type { HeadersInput, HTTPHeaders } from "./httpheaders.js";
  export function withFields(headers: HeadersInput | undefined, more: HTTPHeaders | null): HeadersInput | undefined;
}

declare module "host:bridge/bridge" {
  import type { Buffer } from "./buffer.js";
  /** What the core is told, and the bridge itself; a number that is 0 was not given. */
  export interface BridgeSettings {
    readonly connectionsMax: number;
    readonly idleTimeoutMs: number;
    readonly writeTimeoutMs: number;
    readonly halfCloseTimeoutMs: number;
    readonly bufferBytesMax: number;
    readonly memoryBytesMax: number;
    readonly proxyProtocol: boolean;
  }
  /** Makes endpoints of what the sandbox opens. */
  export type Acceptor = object;
  export interface FrameWriter {
    drain(take: (block: Buffer, start: number, end: number) => boolean): void;
  }
  interface Channel {
    schedule(): void;
    send(writer: FrameWriter): void;
    peer(descriptor: number): null;
    kill(): void;
  }
  interface Events {
    ready(): void;
    failed(error: Error): void;
  }
  export class Bridge {
    /** `peers` says where each connection comes from. */
    constructor(
      acceptor: Acceptor,
      settings: BridgeSettings,
      listeners: number,
      events: Events,
      peers: { get(): object },
    );
    attach(channel: Channel): void;
    flush(): void;
    frame(type: number, id: number, chunk: Buffer, start: number, end: number): void;
    replace(id: number, taker: object): void;
  }
}

declare module "host:bridge/settings" {
  import type { BridgeSettings } from "host:bridge/bridge";
  /** Throws an OptionError for one that is out of its range. */
  export function resolveBridge(options: object): BridgeSettings;
}

declare module "host:stream/settings" {
  export function resolveServerStream(options: object): { readonly readChunkBytes: number };
}

declare module "host:http/form/limits" {
  /** Throws an OptionError for one that is out of its range. */
  export function resolveFormLimits(limits: object): object;
}

declare module "host:http/form/form" {
  import type { Buffer } from "./buffer.js";
  import type { HTTPHeaders } from "./httpheaders.js";
  import type { URLSearchParams } from "./searchparams.js";
  export interface Form {
    readonly fields: URLSearchParams;
    readonly files: readonly object[];
  }
  export interface FormOptions {
    onFile?: (file: AsyncIterable<Buffer>) => void | Promise<void>;
  }
  interface FormSource {
    readonly headers: HTTPHeaders;
    readonly body: { next(): Promise<Buffer | null>; readAll(maxBytes: number): Promise<Buffer>; hold(): void };
    onOver(callback: () => void): void;
  }
  export function readForm(source: FormSource, limits: object, options: FormOptions): Promise<Form>;
}

declare module "whatwg-url" {
  export class URL {
    constructor(url: string, base?: string);
    href: string;
    readonly origin: string;
    protocol: string;
    username: string;
    password: string;
    host: string;
    hostname: string;
    port: string;
    pathname: string;
    search: string;
    hash: string;
  }
}

/** Its types are there, and its package.json hides them. */
declare module "event-target-shim" {
  export class Event {
    constructor(type: string);
    readonly type: string;
  }
  export class EventTarget {
    addEventListener(type: string, listener: (event: Event) => void, options?: { once?: boolean }): void;
    removeEventListener(type: string, listener: (event: Event) => void): void;
    dispatchEvent(event: Event): boolean;
  }
}

declare module "@ungap/structured-clone" {
  const structuredClone: (value: unknown, options?: object) => unknown;
  export default structuredClone;
}

declare function btoa(text: string): string;
declare function atob(text: string): string;

declare class DOMException extends Error {
  constructor(message?: string, name?: string);
}
