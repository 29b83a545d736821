// Loaded before a program (`node --import`): keeps a copy of each WebAssembly module's bytes that the program compiles.
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";

const folder = process.env.WASM_RECORDER_FOLDER;

function record(source) {
  if (source instanceof WebAssembly.Module) return;
  const bytes = ArrayBuffer.isView(source)
    ? Buffer.from(source.buffer, source.byteOffset, source.byteLength)
    : Buffer.from(source);
  writeFileSync(path.join(folder, randomUUID()), bytes);
}

for (const name of ["compile", "instantiate"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = (source, ...rest) => {
    record(source);
    return original(source, ...rest);
  };
}

WebAssembly.Module = new Proxy(WebAssembly.Module, {
  construct(target, [source, ...rest]) {
    record(source);
    return new target(source, ...rest);
  },
});
