/** `node:stream/web`, as far as the host's modules need it. */
export { ReadableStream, WritableStream } from "web-streams-polyfill";
