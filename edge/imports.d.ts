// What the engine and the component's imports give, and no library of types knows: see wit/waterspout.wit.
declare module "waterspout:app/platform@0.1.0" {
  const platform: {
    systemNow(): { seconds: number; nanoseconds: number };
    monotonicNow(): number;
    randomBytes(size: number): Uint8Array;
  };
  export default platform;
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
