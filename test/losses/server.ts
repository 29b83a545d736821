// A server whose application says which version of itself has answered, for clients.ts.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { type Options, type Server, start, type Way } from "../e2e/support/ways.js";

const APP = `
import { text } from "./part.mjs";
export default async (request) => {
  const { pathname, searchParams } = new URL(request.target, "http://x");
  if (pathname === "/slow") await new Promise((done) => setTimeout(done, Number(searchParams.get("ms"))));
  if (pathname === "/download") {
    return request.respond(200, { "Content-Type": "text/plain" }, text.repeat(Number(searchParams.get("bytes"))));
  }
  if (pathname !== "/pieces") return request.respond(200, { "Content-Type": "text/plain" }, text);
  request.connection.writeHeaders(200, { "Content-Type": "text/plain" });
  for (let i = 0; i < 10; i++) {
    await request.connection.write(text);
    await new Promise((done) => setTimeout(done, 100));
  }
  request.connection.finish();
};
`;

/** The application in a folder of its own, as its version 0. */
export class Versioned {
  readonly folder = mkdtempSync(path.join(tmpdir(), "waterspout-versions-"));
  readonly file = path.join(this.folder, "app.mjs");

  constructor() {
    writeFileSync(this.file, APP);
    this.edit('"0"');
  }

  /** `text` is an expression whose value is what the application answers with from its next start on. */
  edit(text: string): void {
    writeFileSync(path.join(this.folder, "part.mjs"), `export const text = ${text};\n`);
  }

  serve(way: Way, args: readonly string[], options?: Options): Promise<Server> {
    return start(way, this.file, [...args, "--access-log", "off"], options);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
