// Whatever a document points at is there.
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

import { ROOT } from "../e2e/support/ways.js";
import { blocks, type Document, documents, read } from "./documents.js";

/** Folders whose files are named in documents; what is built is not among them. */
const FOLDERS = ["assembly", "bench", "docs", "edge", "examples", "host", "scripts", "templates", "test"];

const files = readdirSync(ROOT).concat(
  FOLDERS.flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`),
  ),
);

test.each(documents)("links in $file lead somewhere", (document) => {
  for (const [, target] of document.prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^https:\/\/[a-z0-9.-]+(\/|$)/.test(target)) continue;
    const [file, anchor] = target.split("#");
    const linked = file === "" ? document.file : path.join(path.dirname(document.file), file);
    expect(existsSync(path.join(ROOT, linked)), `${document.file}: ${target}`).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(linked), `${document.file}: ${target}`).toContain(anchor);
  }
});

test.each(documents)("files that $file names exist", (document) => {
  const snippets = blocks.map((block) => block.name);
  for (const [, name] of document.prose.matchAll(/`([\w@./-]+)`/g)) {
    const isFile = /\w\.(ts|mjs|md|sh|txt)$/.test(name) || (FOLDERS.includes(name.split("/")[0]) && name.includes("/"));
    if (!isFile || snippets.includes(name)) continue;
    const wanted = name.replace(/\/$/, "");
    const found = files.some((file) => file === wanted || file.endsWith(`/${wanted}`));
    expect(found, `${document.file} names ${name}`).toBe(true);
  }
});

test("no document names a folder of the machine that it was written on", () => {
  for (const { file } of documents) expect(read(file), file).not.toMatch(/\/(work|root|home|tmp)\//);
});

/** Anchors as GitHub makes them out of headings. */
function anchorsOf(file: string): string[] {
  const { prose } = documents.find((document) => document.file === file) as Document;
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}
