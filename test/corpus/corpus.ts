// The corpus: test/corpus/*.md as cases. README.md there says how a case is written.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export interface Case {
  /** `chunks.md`. */
  file: string;
  title: string;
  request: Buffer;
  /** The expected events, a line each. */
  events: string[];
}

const FOLDER = path.dirname(fileURLToPath(import.meta.url));

/** A backslash at a line's end joins it to the next. */
const ESCAPES: Record<string, string> = { r: "\r", n: "\n", t: "\t", 0: "\0", "\\": "\\", "\n": "" };

export const FILES = readdirSync(FOLDER).filter(
  (file) =>
    file.endsWith(".md") &&
    !["README.md", "conditional-requests.md", "disagreements.md", "origins.md", "web.md"].includes(file),
);

export const corpus: Case[] = FILES.flatMap(readCases);

function readCases(file: string): Case[] {
  const [, ...sections] = `\n${readFileSync(path.join(FOLDER, file), "utf8")}`.split("\n## ");
  return sections.map((section) => {
    const title = section.slice(0, section.indexOf("\n"));
    const blocks = [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
    if (blocks.map(([, language]) => language).join() !== "http,events")
      throw new Error(`${file}, "${title}": a block of http and a block of events are expected`);
    return { file, title, request: bytesOf(blocks[0][2]), events: blocks[1][2].split("\n").slice(0, -1) };
  });
}

/** The bytes that a block of http stands for. */
export function bytesOf(block: string): Buffer {
  return Buffer.from(bytesAsText(block), "latin1");
}

function bytesAsText(text: string): string {
  return text.replaceAll(/\\\((.*?)\*(\d+)\)|\\(x[0-9a-f]{2}|[\s\S])|\n/g, (all, repeated, times, name) => {
    if (all === "\n") return "\r\n";
    if (times !== undefined) return bytesAsText(repeated).repeat(Number(times));
    const bytes = name.length === 3 ? String.fromCharCode(Number.parseInt(name.slice(1), 16)) : ESCAPES[name];
    if (bytes === undefined) throw new Error(`${all} is no escape`);
    return bytes;
  });
}

/** Lines of a log in the form of a case: printable ASCII, long runs shortened. */
export function shown(line: string): string {
  return line
    .replaceAll(/[^\n\x20-\x7e]/g, (byte) =>
      byte === "\t" ? "\\t" : `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`,
    )
    .replaceAll(/(.)\1{63,}/g, (run, character: string) => `\\(${character}*${run.length})`);
}
