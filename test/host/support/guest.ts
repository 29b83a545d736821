import { expect } from "vitest";

import { DescriptorTable } from "../../../host/runtime/node/descriptors.js";
import { Wasi } from "../../../host/runtime/node/wasi.js";

export const PAGE = 65_536;
export const SUBS = 1024;
export const EVENTS = 4096;
export const IOVS = 8192;
export const OUT = 8256;
export const FLAGS = 8264;
export const DATA = 16_384;

export const AGAIN = 6;
export const BADF = 8;
export const CLOCK = 0;
export const READ = 1;
export const WRITE = 2;

type Call = (...values: (number | bigint)[]) => number;

/** A sandbox without code: its memory, and the imports. */
export class Guest {
  readonly memory = new WebAssembly.Memory({ initial: 2 });
  readonly table: DescriptorTable;
  readonly call: Record<string, Call>;
  readonly written: [number, string][] = [];
  input = Buffer.alloc(0);
  wakes = 0;

  constructor() {
    this.table = new DescriptorTable(() => {
      this.wakes++;
    });
    const wasi = new Wasi(this.table, {
      readInput: (memory, target, size) => {
        const bytes = this.input.subarray(0, size);
        memory.set(bytes, target);
        this.input = this.input.subarray(bytes.length);
        return bytes.length;
      },
      write: (fd, bytes) => this.written.push([fd, Buffer.from(bytes).toString()]),
    });
    wasi.attach(this.memory);
    this.call = wasi.imports() as unknown as Record<string, Call>;
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  text(at: number, bytes: number): string {
    return Buffer.from(this.memory.buffer, at, bytes).toString("latin1");
  }

  iov(...pieces: [number, number][]): number {
    for (const [index, [start, size]] of pieces.entries()) {
      this.view.setUint32(IOVS + index * 8, start, true);
      this.view.setUint32(IOVS + index * 8 + 4, size, true);
    }
    return pieces.length;
  }

  receive(fd: number, size = 1000): { errno: number; text: string } {
    const errno = this.call.sock_recv(fd, IOVS, this.iov([DATA, size]), 0, OUT, FLAGS);
    return { errno, text: errno === 0 ? this.text(DATA, this.view.getUint32(OUT, true)) : "" };
  }

  send(fd: number, text: string): number {
    Buffer.from(this.memory.buffer).write(text, DATA, "latin1");
    return this.call.sock_send(fd, IOVS, this.iov([DATA, text.length]), 0, OUT);
  }

  /** Subscriptions as [tag, fd]; userdata is their index. Events as [index, errno, type, bytes, flags]. */
  poll(...subscriptions: [number, number][]): number[][] {
    const { view } = this;
    for (const [index, [tag, fd]] of subscriptions.entries()) {
      const at = SUBS + index * 48;
      view.setBigUint64(at, BigInt(index), true);
      view.setUint8(at + 8, tag);
      view.setUint32(at + 16, fd, true);
    }
    expect(this.call.poll_oneoff(SUBS, EVENTS, subscriptions.length, OUT)).toBe(0);
    return Array.from({ length: view.getUint32(OUT, true) }, (_, index) => {
      const at = EVENTS + index * 32;
      return [
        Number(view.getBigUint64(at, true)),
        view.getUint16(at + 8, true),
        view.getUint8(at + 10),
        Number(view.getBigUint64(at + 16, true)),
        view.getUint16(at + 24, true),
      ];
    });
  }
}
