// A folder of files, links and what is no file, and an application that serves it.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";

import { Application, type InjectedRequest, type Logger, StaticFileHandler } from "../../../host/index.js";

export const LETTERS = "abcdefghijklmnopqrstuvwxyz";
export const BIG = randomBytes(300_000);
export const MODIFIED = "Sat, 01 Feb 2025 10:20:30 GMT";

const quiet = (): void => {};
export const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export const base = mkdtempSync(path.join(tmpdir(), "waterspout-static-"));
export const root = path.join(base, "public");
afterAll(() => rmSync(base, { recursive: true }));

beforeAll(() => {
  const put = (name: string, text: string | Buffer) => writeFileSync(path.join(base, name), text);
  for (const folder of ["public", "public/folder", "public/empty", "public-not", "shared"])
    mkdirSync(path.join(base, folder));
  put("secret.txt", "secret");
  put("public-not/secret.txt", "secret");
  put("shared/shared.txt", "shared");
  put("public/letters.txt", LETTERS);
  put("public/a b ü.html", "<p>");
  put("public/big.bin", BIG);
  put("public/none", "");
  put("public/favicon.ico", "icon");
  put("public/folder/index.html", "index");
  const at = Date.parse(MODIFIED) / 1000;
  utimesSync(path.join(root, "letters.txt"), at + 0.5, at + 0.5);
  symlinkSync("letters.txt", path.join(root, "inside.txt"));
  symlinkSync("../secret.txt", path.join(root, "outside.txt"));
  symlinkSync("../shared", path.join(root, "shared"));
  symlinkSync("nowhere", path.join(root, "dangling"));
  symlinkSync("../gone.txt", path.join(root, "gone.txt"));
  symlinkSync("folder/../../gone/../public/nowhere", path.join(root, "roundabout"));
  symlinkSync("../public/folder/../nowhere", path.join(root, "back"));
  symlinkSync(path.join(base, "gone"), path.join(root, "absolute"));
  symlinkSync("loop", path.join(root, "loop"));
  execFileSync("mkfifo", [path.join(root, "pipe")]);
});

export const application = () =>
  new Application(
    [
      ["/s/(.*)", StaticFileHandler, { path: root }],
      ["/d/(.*)", StaticFileHandler, { path: root, defaultFilename: "index.html" }],
      ["/w/(?<path>.*)", StaticFileHandler, { path: root, allowedSymlinkDirectories: [path.join(base, "shared")] }],
    ],
    { logger },
  );
export const ask = (request: InjectedRequest | string) => application().inject(request);
export const get = (headers: Record<string, string>, target = "/s/letters.txt") => ask({ target, headers });
