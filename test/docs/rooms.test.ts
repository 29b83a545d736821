// The tree is the architecture. Every file of host/ and assembly/ stands in a room (the folder below these), and a room
// imports only from the rooms that its row in rooms.json names. Files do not import each other in a circle.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import rooms from "../rooms.json" with { type: "json" };

const LINE_COLUMNS_MAX = 120;
const FILE_LINES_MAX = 600;
const IMPORT =
  /^(?:import|export)\s(type\s)?[^;"']*?from\s+["'](\.[^"']+)["']|(?<lazy>\bimport)\(["'](\.[^"']+)["']\)/gm;

interface Edge {
  from: string;
  to: string;
  kind: "value" | "type" | "lazy";
}

const files = ["host", "assembly"]
  .flatMap((side) => readdirSync(side, { recursive: true, encoding: "utf8" }).map((name) => `${side}/${name}`))
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts") && !file.startsWith("host/inspect/page/"))
  .sort();
const edges = files.flatMap(edgesOf);
const layers: Record<string, string[]> = {};
for (const side of ["host", "assembly"] as const) {
  for (const [room, arrows] of Object.entries(rooms[side]))
    layers[`${side}/${room}`] = arrows.map((arrow) => `${side}/${arrow}`);
}

test("every file stands in a room", () => {
  const outside = files.filter((file) => roomOf(file) !== null && !(roomOf(file)! in layers));
  expect(outside, "move each into a room, or give its folder a row in test/rooms.json").toEqual([]);
});

test("rooms.json itself has no circle", () => {
  expect(circles(Object.keys(layers), (room) => layers[room]!)).toEqual([]);
});

test("a room imports what stands under it, and nothing else", () => {
  const wrong = edges.filter(({ from, to, kind }) => {
    const [a, b] = [roomOf(from), roomOf(to)];
    if (a === null || a === b) return false; // index.ts names everything
    if (b === null) return true; // no file imports the index
    const lazy = kind === "lazy" && ((rooms.lazy as Record<string, string[]>)[a] ?? []).includes(b);
    return !lazy && !layers[a]?.includes(b);
  });
  const arrows = wrong.map(({ from, to, kind }) => `${from} -> ${to} (${kind})`);
  const message =
    "move what is imported into a lower room, or pass it in from above; add an arrow to test/rooms.json only when every " +
    "file of the one room may know every file of the other";
  expect(arrows, message).toEqual([]);
});

test("every arrow in rooms.json is used", () => {
  const used = new Set(edges.map(({ from, to }) => `${roomOf(from)} ${roomOf(to)}`));
  const idle = Object.entries(layers).flatMap(([room, arrows]) =>
    arrows.filter((arrow) => !used.has(`${room} ${arrow}`)).map((arrow) => `${room} -> ${arrow}`),
  );
  expect(idle, "take these out of test/rooms.json").toEqual([]);
});

test("no circle of files; of types alone only inside one room", () => {
  const of = (wanted: (edge: Edge) => boolean) => (file: string) =>
    edges.filter((edge) => edge.from === file && wanted(edge)).map(({ to }) => to);
  const values = circles(
    files,
    of(({ kind }) => kind === "value"),
  );
  const message = "put what both need into a file of its own below both, or join the files that are one subject";
  expect(values, message).toEqual([]);
  const acrossRooms = of(({ kind, from, to }) => kind !== "lazy" && roomOf(from) !== roomOf(to));
  expect(circles(files, acrossRooms), message).toEqual([]);
});

test(`no line is longer than ${LINE_COLUMNS_MAX} columns`, () => {
  const long = files.flatMap((file) =>
    text(file)
      .split("\n")
      .flatMap((line, i) => (line.length > LINE_COLUMNS_MAX && !/https?:/.test(line) ? [`${file}:${i + 1}`] : [])),
  );
  expect(long, "wrap these lines").toEqual([]);
});

test(`no file is longer than ${FILE_LINES_MAX} lines`, () => {
  const long = files.filter((file) => text(file).trimEnd().split("\n").length > FILE_LINES_MAX);
  expect(long, "cut them by subject").toEqual([]);
});

/** "host/http" of "host/http/form/form.ts"; null for a side's own index.ts. */
function roomOf(file: string): string | null {
  const [side, room, ...rest] = file.split("/");
  return rest.length === 0 ? null : `${side}/${room}`;
}

function text(file: string): string {
  return readFileSync(file, "utf8");
}

function edgesOf(from: string): Edge[] {
  return [
    ...text(from)
      .replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")
      .matchAll(IMPORT),
  ].flatMap((match) => {
    const target = normalize(join(dirname(from), match[2] ?? match[4]!)).replace(/\.js$/, ".ts");
    const to = [target, `${target}.ts`, `${target}/index.ts`].find((file) => files.includes(file));
    return to === undefined
      ? []
      : [{ from, to, kind: match[4] !== undefined ? "lazy" : match[1] ? "type" : "value" } as Edge];
  });
}

/** The strongly connected parts with more than one member (Tarjan). */
function circles(nodes: readonly string[], next: (node: string) => readonly string[]): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node)!);
    stack.push(node);
    for (const other of next(node)) {
      if (!index.has(other)) visit(other);
      if (stack.includes(other)) low.set(node, Math.min(low.get(node)!, low.get(other)!));
    }
    if (low.get(node) !== index.get(node)) return;
    const part = stack.splice(stack.indexOf(node));
    if (part.length > 1) found.push(part.sort());
  };
  for (const node of nodes) if (!index.has(node)) visit(node);
  return found;
}
