// The documents as tests see them: their text, their code blocks and their tables.
//
// A block's info string is a language and, for a file, its name: ```ts hello.ts
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { ROOT } from "../e2e/support/ways.js";

export interface Block {
  /** Where it stands: `README.md:12`. */
  place: string;
  language: string;
  /** The file's name, "" for a block that is none. */
  name: string;
  text: string;
}

export interface Document {
  file: string;
  /** Without the code blocks. */
  prose: string;
  blocks: Block[];
}

function readDocument(file: string): Document {
  const prose: string[] = [];
  const blocks: Block[] = [];
  let block: Block | null = null;
  for (const [index, line] of read(file).split("\n").entries()) {
    const fence = /^```(\S*) ?(\S*)$/.exec(line);
    if (block !== null && line === "```") block = null;
    else if (block !== null) block.text += `${line}\n`;
    else if (fence) {
      block = { place: `${file}:${index + 1}`, language: fence[1], name: fence[2], text: "" };
      blocks.push(block);
    } else prose.push(line);
  }
  if (block !== null) throw new Error(`${block.place}: the block has no end`);
  return { file, prose: prose.join("\n"), blocks };
}

/** Text of a file of the project. */
export function read(file: string): string {
  return readFileSync(path.join(ROOT, file), "utf8");
}

const files = [
  ...readdirSync(ROOT),
  ...["docs", "examples"].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`),
  ),
];
export const documents = files.filter((file) => file.endsWith(".md")).map(readDocument);
export const blocks = documents.flatMap((document) => document.blocks);

/** The document with this name. */
export function documentNamed(file: string): Document {
  const found = documents.find((document) => document.file === file);
  if (found === undefined) throw new Error(`there is no ${file}`);
  return found;
}

/** Rows of the tables below a heading that begins with `heading`, as objects by column. */
export function rowsBelow(file: string, heading: string): Record<string, string>[] {
  const prose = `\n${documentNamed(file).prose}`;
  const level = heading.indexOf(" ");
  const start = prose.indexOf(`\n${heading}`) + 1;
  if (start === 0) throw new Error(`${file} has no heading ${heading}`);
  const rest = prose.slice(start + heading.length);
  const end = rest.search(new RegExp(`^#{1,${level}} `, "m"));
  const rows: Record<string, string>[] = [];
  let columns: string[] = [];
  for (const line of (end < 0 ? rest : rest.slice(0, end)).split("\n")) {
    const cells = line.startsWith("|")
      ? line
          .slice(1, -1)
          .split(" | ")
          .map((cell) => cell.trim())
      : [];
    if (cells.length === 0) columns = [];
    else if (columns.length === 0) columns = cells;
    else if (!/^[-| ]+$/.test(line)) rows.push(Object.fromEntries(columns.map((name, at) => [name, cells[at] ?? ""])));
  }
  return rows;
}

/** Names of the options of every server: what `ServerOptions` declares, and the interfaces that it extends. */
export function serverOptions(): string[] {
  const composing = "host/server/options.ts";
  const source = read(composing);
  const parents = /interface ServerOptions extends ([\w, ]+) \{/.exec(source)?.[1]?.split(", ") ?? [];
  const declaring = parents.map((name): [string, string] => {
    const from = new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\} from "(.+)\\.js"`).exec(source)?.[1];
    return [name, path.join(path.dirname(composing), `${from}.ts`)];
  });
  return [["ServerOptions", composing] as [string, string], ...declaring].flatMap(([name, file]) => {
    const body = new RegExp(`interface ${name}[^{]*\\{\\n(.*?)\\n\\}`, "s").exec(read(file))?.[1];
    if (body === undefined) throw new Error(`${file} has no interface ${name}`);
    return [...body.matchAll(/^ {2}(\w+)\?: /gm)].map(([, option]) => option);
  });
}

/** Constants of a source file whose value is a number, or one operation on numbers and earlier constants. */
export function constantsOf(file: string): Map<string, number> {
  const found = new Map<string, number>();
  const number = (text: string): number => found.get(text) ?? Number(text.replaceAll("_", ""));
  for (const [, name, left, operator, right] of read(file).matchAll(
    /^(?:export )?const ([A-Z][A-Z0-9_]*)(?:: \w+)? = (\w+)(?: (<<|-|\*) (\w+))?;/gm,
  )) {
    const [a, b] = [number(left), number(right ?? "0")];
    if (Number.isNaN(a) || Number.isNaN(b)) continue;
    found.set(name, operator === "<<" ? a << b : operator === "*" ? a * b : a - b);
  }
  return found;
}
