import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import type { Form, FormOptions, ServerOptions } from "../../../host/index.js";
import { collect, ID, serve } from "./exchange.js";
import { frame, requestFrame } from "./fakeworker.js";

export const directory = mkdtempSync(path.join(tmpdir(), "waterspout-test-"));
afterAll(() => rmSync(directory, { recursive: true }));

export const MULTIPART = "multipart/form-data; boundary=b";
export const URLENCODED = "application/x-www-form-urlencoded";

export interface Read {
  form: Form | null;
  status: number;
  message: string;
}

/** Reads a form whose body comes in pieces; `look` sees it while it is there. */
export async function read(
  contentType: string | null,
  pieces: (string | Buffer)[],
  options: FormOptions = {},
  server: ServerOptions = {},
  look: (form: Form) => void = () => {},
): Promise<Read> {
  const result: Read = { form: null, status: 0, message: "" };
  let seen: { error: unknown } | null = null;
  const worker = serve(
    async (request) => {
      try {
        result.form = await request.readForm({ directory, ...options });
        try {
          look(result.form);
        } catch (error) {
          seen = { error };
        }
      } catch (error) {
        result.message = (error as Error).message;
        throw error;
      }
      request.respond(200);
    },
    { bodyBytesMax: 64 << 20, bodyWindow: 64 << 20, ...server },
  );
  const headers: [string, string][] = contentType === null ? [] : [["content-type", contentType]];
  worker.emit(requestFrame(ID, { method: 3, flags: 0, contentLength: -1, headers }));
  for (const piece of pieces.map((piece) => Buffer.from(piece as string)).filter(({ length }) => length > 0)) {
    for (let at = 0; at < piece.length; at += 65_536) {
      worker.emit(frame(f.FRAME_BODY, ID, piece.subarray(at, at + 65_536)));
    }
  }
  worker.emit(frame(f.FRAME_BODY_END, ID));
  result.status = (await collect(worker)).status;
  if (seen !== null) throw (seen as { error: unknown }).error;
  return result;
}

export const part = (head: string, data: string): string => `--b\r\n${head}\r\n\r\n${data}\r\n`;
export const field = (name: string, value: string): string =>
  part(`Content-Disposition: form-data; name="${name}"`, value);
export const file = (name: string, filename: string, data: string): string =>
  part(`Content-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: text/x`, data);
export const pairs = ({ form }: Read): [string, string][] => [...(form as Form).fields];
export const END = "--b--\r\n";
