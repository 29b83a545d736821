/** `TextEncoderStream` and `TextDecoderStream`. Reference: encoding.spec.whatwg.org 7.5 to 7.7. */
import { type ReadableStream, TransformStream, type WritableStream } from "web-streams-polyfill";
import { encode, TextDecoder } from "./text.js";

export class TextEncoderStream {
  readonly encoding = "utf-8";
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<unknown>;

  constructor() {
    let rest = ""; // the first half of a character, whose other half comes with the next piece
    const { readable, writable } = new TransformStream<unknown, Uint8Array>({
      transform(chunk, controller) {
        const text = rest + String(chunk);
        rest = /[\ud800-\udbff]$/.exec(text)?.[0] ?? "";
        if (text.length > rest.length) controller.enqueue(encode(text.slice(0, text.length - rest.length)));
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(encode(rest));
      },
    });
    this.readable = readable;
    this.writable = writable;
  }
}

export class TextDecoderStream {
  readonly encoding = "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  readonly readable: ReadableStream<string>;
  readonly writable: WritableStream<ArrayBuffer | ArrayBufferView>;

  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }) {
    const decoder = new TextDecoder(label, options);
    this.fatal = decoder.fatal;
    this.ignoreBOM = decoder.ignoreBOM;
    const { readable, writable } = new TransformStream<ArrayBuffer | ArrayBufferView, string>({
      transform(chunk, controller) {
        const text = decoder.decode(chunk, { stream: true });
        if (text !== "") controller.enqueue(text);
      },
      flush(controller) {
        const text = decoder.decode();
        if (text !== "") controller.enqueue(text);
      },
    });
    this.readable = readable;
    this.writable = writable;
  }
}
