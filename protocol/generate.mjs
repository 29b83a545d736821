// Writes what protocol.json says into the sources of both languages and into docs/protocol.md: `make protocol`.
// With --check it writes nothing and exits with 1 when a file says something else: `make check`.
//
// Invariant: a number, a name or a sentence that sandbox and host share stands in protocol.json once.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "..");
const protocol = JSON.parse(readFileSync(path.join(ROOT, "protocol/protocol.json"), "utf8"));
const {
  sizes,
  limits,
  methods,
  kinds,
  flags,
  sandboxToHost,
  hostToSandbox,
  reasons,
  stats,
  turnTimes,
  phrases,
  refusals,
} = protocol;
const frames = [...sandboxToHost, ...hostToSandbox];
const statsBytes = (stats.length + turnTimes + refusals.length) * 8;

const GENERATED = "Generated from protocol/protocol.json by `make protocol`; edit it there.";
const lines = (...parts) => `${parts.flat().join("\n")}\n`;
const camel = (name) => name.toLowerCase().replace(/_(.)/g, (_, letter) => letter.toUpperCase());

/** `export const NAME = value;` of one language, below its comment. */
function constant(language, type, name, value, comment) {
  const annotation = language === "assembly" ? `: ${type}` : "";
  return [...(comment ? [`/** ${comment} */`] : []), `export const ${name}${annotation} = ${value};`];
}

function frameNumbers(language) {
  const one = (...rest) => constant(language, ...rest);
  const frame = ({ type, name }) => one("u32", `FRAME_${name}`, type);
  const flagged = [...new Set(flags.map((flag) => flag.of))];
  return lines(
    `// The numbers of frames. ${GENERATED}`,
    "// Reference: docs/protocol.md.",
    "",
    one("u32", "PROTOCOL_VERSION", protocol.version),
    "",
    sizes.flatMap(({ name, value, meaning }) => one("i32", name, value, meaning)),
    one("i32", "STATS_BYTES", statsBytes, "All of STATS."),
    kinds.flatMap(({ name, value, meaning }) => one("u8", name, value, meaning)),
    "",
    "// --- sandbox to host ---",
    sandboxToHost.flatMap(frame),
    "",
    "// --- host to sandbox ---",
    hostToSandbox.flatMap(frame),
    flagged.flatMap((frame) =>
      [
        "",
        `// --- flags of ${frame} ---`,
        flags.filter((flag) => flag.of === frame).flatMap(({ name, value }) => one("i32", name, value)),
      ].flat(),
    ),
  );
}

function hostFrameNames() {
  return lines(
    "",
    "/** The name of each type of frame, for logs. */",
    "export const FRAME_NAMES: ReadonlyMap<number, string> = new Map([",
    frames.map(({ name }) => `  [FRAME_${name}, "${name}"],`),
    "]);",
  );
}

function sharedLimits(language) {
  return lines(
    "// Limits that sandbox and host both know; those of one of them are in limits.ts beside this file.",
    `// ${GENERATED}`,
    "",
    limits.flatMap(({ name, type = "i32", value, meaning }) => constant(language, type, name, value, meaning)),
  );
}

const METHOD_SOURCES = {
  GET: "RFC 9110 9.3.1",
  HEAD: "RFC 9110 9.3.2",
  POST: "RFC 9110 9.3.3",
  PUT: "RFC 9110 9.3.4",
  DELETE: "RFC 9110 9.3.5",
  PATCH: "RFC 5789 2",
  OPTIONS: "RFC 9110 9.3.7",
};

function assemblyMethods() {
  return lines(
    `// The numbers of methods. ${GENERATED}`,
    "",
    "/** A request's method. */",
    "export const enum Method {",
    "  /** A method that is not listed here. */",
    "  OTHER = 0,",
    methods.flatMap((name, index) => [`  /** ${METHOD_SOURCES[name]}. */`, `  ${name} = ${index + 1},`]),
    "}",
    "",
    "/** The names of Method's numbers from 1 up. */",
    "// @ts-ignore: decorator",
    "@lazy",
    `export const METHODS: string[] = [${methods.map((name) => `"${name}"`).join(", ")}];`,
  );
}

function hostMethods() {
  return lines(
    `// The numbers of methods. ${GENERATED}`,
    "",
    "/** Methods by their number; 0 is any other, whose text is given. */",
    `export const METHODS = ["", ${methods.map((name) => `"${name}"`).join(", ")}] as const;`,
    ["OTHER", ...methods].map((name, index) => `export const METHOD_${name} = ${index};`),
  );
}

function assemblyReasons() {
  return lines(
    "// Why a stream, a read or a request ended: the numbers that travel in frames.",
    `// ${GENERATED}`,
    "",
    reasons.flatMap(({ code, name, meaning }) =>
      constant("assembly", "i32", `REASON_${name}`, code, `${meaning[0].toUpperCase()}${meaning.slice(1)}.`),
    ),
  );
}

function hostReasons() {
  return lines(
    "/**",
    " * Why a stream, a read or a request ended: the numbers that travel in frames, and what errors say of them.",
    ` * ${GENERATED}`,
    " */",
    "",
    "/** Why the sandbox ended a stream, a read or a request: the number that travels in a frame. */",
    "export const REASONS = {",
    reasons.map(({ code, name }) => `  ${name}: ${code},`),
    "} as const;",
    "",
    "/** Each of them in words. */",
    "export const EXPLANATIONS: Readonly<Record<keyof typeof REASONS, string>> = {",
    reasons.map(({ name, explanation }) => `  ${name}: "${explanation}",`),
    "};",
  );
}

function assemblyStats() {
  let place = 0;
  return lines(
    `// Places in the table of STATS. ${GENERATED}`,
    "",
    stats.flatMap(({ name, counts }) =>
      constant("assembly", "i32", name, place++, `${counts[0].toUpperCase()}${counts.slice(1)}.`),
    ),
    "/** The first of the turns' times: how many turns took at most 1,024 ns, at most twice that, and so on. */",
    `export const TURN_TIMES: i32 = ${stats.length};`,
    "/** How many numbers stand for the turns' times. */",
    `export const TURN_TIMES_COUNT: i32 = ${turnTimes};`,
    "/** The first of the refused requests by their reason, in the order of http/refusals.ts; the last is for others. */",
    `export const REFUSALS: i32 = ${stats.length + turnTimes};`,
    "/** How many numbers stand for refused requests. */",
    `export const REFUSALS_COUNT: i32 = ${refusals.length};`,
    "",
    "/** Numbers in the table. */",
    `export const STATS: i32 = ${statsBytes / 8};`,
  );
}

function hostStats() {
  return lines(
    "/**",
    ` * What the table of STATS holds. ${GENERATED}`,
    " */",
    "",
    "/** In the order of the table. @internal */",
    "export const STAT_NAMES = [",
    stats.map(({ name }) => `  "${camel(name)}",`),
    "] as const;",
    "",
    "/**",
    " * Rows of the table behind those: how many turns took at most 1,024 ns, twice that, and so on; the last has no bound.",
    " * @internal",
    " */",
    `export const TURN_TIMES_COUNT = ${turnTimes};`,
    "",
    "/** Behind those: why requests are refused, with which status and sentence; the last is for all others. */",
    "export const REFUSALS = [",
    refusals.map(({ name, status, sentence }) => `  ["${name.toLowerCase()}", ${status}, "${sentence}"],`),
    "] as const satisfies readonly (readonly [string, number, string])[];",
  );
}

function assemblyRefusals() {
  const named = refusals.slice(0, -1);
  let about = "";
  const group = (refusal) => {
    if (refusal.about === about) return [];
    about = refusal.about;
    return [`  // --- ${about} ---`];
  };
  return lines(
    "// Why a request is refused, in the order in which a request is read; texts.ts has what the answer says.",
    `// ${GENERATED}`,
    "",
    "/** Why a request is refused, each with the status of the answer. */",
    "export const enum Refusal {",
    named.flatMap((refusal, index) => [
      ...group(refusal),
      `  /** ${refusal.status}: ${refusal.sentence}. */`,
      `  ${refusal.name} = ${-2 - index},`,
    ]),
    "}",
    "",
    "/** The last code, for tests that go through all of them. */",
    `export const LAST_REFUSAL: i32 = Refusal.${named.at(-1).name};`,
  );
}

const COLUMNS_MAX = 120;

/** An entry of texttable.ts as numbers, below a comment that can be read. */
function textEntry(number, text) {
  const bytes = [...Buffer.from(text, "latin1")];
  if (!/^[ -~]{1,255}$/.test(text)) throw new Error(`not 1 to 255 characters of ASCII: ${text}`);
  const result = [`  // ${number} ${text}`, " "];
  for (const value of [number & 255, number >> 8, bytes.length, ...bytes]) {
    if (result.at(-1).length + ` ${value},`.length > COLUMNS_MAX) result.push(" ");
    result.push(`${result.pop()} ${value},`);
  }
  return result;
}

const textTable = (comment, name, entries) =>
  [
    `/** ${comment} */`,
    "// prettier-ignore",
    `export const ${name}: usize = memory.data<u8>([`,
    entries.flatMap(([number, text]) => textEntry(number, text)),
    "  0, 0,",
    "]);",
  ].flat();

function assemblyTexts() {
  return lines(
    `// What answers say, as tables of texttable.ts. ${GENERATED}`,
    "",
    textTable(
      "Status and sentence of each refusal, in the order of their codes; the last is for what is no refusal.",
      "SENTENCES",
      refusals.map(({ status, sentence }) => [status, sentence]),
    ),
    "",
    textTable("The registered statuses with their reason phrases; the last is for all others.", "PHRASES", [
      ...Object.entries(phrases).map(([status, phrase]) => [Number(status), phrase]),
      [999, "Unknown"],
    ]),
  );
}

function hostPhrases() {
  return lines(
    `// Reason phrases of the registered statuses. ${GENERATED}`,
    "// Reference: RFC 9110 15, the IANA registry.",
    "",
    "export const PHRASES: ReadonlyMap<number, string> = new Map([",
    Object.entries(phrases).map(([status, phrase]) => `  [${status}, ${JSON.stringify(phrase)}],`),
    "]);",
  );
}

// --- docs/protocol.md ---

const table = (head, rows) =>
  lines(
    `| ${head.join(" | ")} |`,
    `|${"---|".repeat(head.length)}`,
    rows.map((row) => `| ${row.join(" | ")} |`),
  );
const frameTable = (rows) =>
  table(
    ["type", "name", "id", "payload"],
    rows.map(({ type, name, id, payload }) => [type, name, id, payload]),
  );
const statsTable = () => {
  const [times, refused] = [stats.length, stats.length + turnTimes];
  return table(
    ["offset", "name", "counts"],
    [
      ...stats.map(({ name, counts }, index) => [index * 8, name, counts]),
      [
        times * 8,
        "TURN_TIMES",
        `${turnTimes} numbers: turns that took at most 1,024 ns, at most twice that, and so on; the last are all others`,
      ],
      [refused * 8, "REFUSALS", `${refusals.length} numbers: REQUESTS_REFUSED by the reason, in the order below`],
    ],
  );
};
const parts = {
  "sandbox to host": () => frameTable(sandboxToHost),
  "host to sandbox": () => frameTable(hostToSandbox),
  methods: () =>
    table(
      ["method", "number"],
      methods.map((name, index) => [name, index + 1]),
    ),
  limits: () =>
    table(
      ["name", "value", "what it bounds"],
      limits.map(({ name, value, meaning }) => [`\`${name}\``, value, meaning]),
    ),
  stats: statsTable,
  refusals: () =>
    table(
      ["reason", "status", "sentence"],
      refusals.map(({ name, status, sentence }) => [`\`${name.toLowerCase()}\``, status, sentence]),
    ),
  reasons: () =>
    table(
      ["code", "name", "meaning"],
      reasons.map(({ code, name, meaning }) => [code, name, meaning]),
    ),
};

/** The document with each part between `<!-- protocol.json: NAME -->` and `<!-- end -->` written anew. */
function document(text) {
  return Object.entries(parts).reduce((result, [name, make]) => {
    const [before, behind] = [`<!-- protocol.json: ${name} -->\n`, "<!-- end -->"];
    const from = result.indexOf(before);
    if (from < 0) throw new Error(`docs/protocol.md has no "${before.trim()}"`);
    const start = from + before.length;
    return `${result.slice(0, start)}\n${make()}\n${result.slice(result.indexOf(behind, start))}`;
  }, text);
}

const files = {
  "assembly/bridge/framenumbers.ts": () => frameNumbers("assembly"),
  "assembly/core/reasons.ts": assemblyReasons,
  "assembly/core/sharedlimits.ts": () => sharedLimits("assembly"),
  "assembly/core/statnumbers.ts": assemblyStats,
  "assembly/protocol/http/method.ts": assemblyMethods,
  "assembly/protocol/http/refusals.ts": assemblyRefusals,
  "assembly/protocol/http/texts.ts": assemblyTexts,
  "host/bridge/framenumbers.ts": () => frameNumbers("host") + hostFrameNames(),
  "host/bridge/methods.ts": hostMethods,
  "host/bridge/statnames.ts": hostStats,
  "host/core/sharedlimits.ts": () => sharedLimits("host"),
  "host/core/reasons.ts": hostReasons,
  "host/http/phrases.ts": hostPhrases,
  "docs/protocol.md": document,
};

let stale = 0;
for (const [name, make] of Object.entries(files)) {
  const file = path.join(ROOT, name);
  let now = "";
  try {
    now = readFileSync(file, "utf8");
  } catch {}
  const wanted = make(now);
  if (wanted === now) continue;
  stale++;
  if (process.argv.includes("--check")) console.error(`${name} is not what protocol/protocol.json says: make protocol`);
  else writeFileSync(file, wanted);
}
if (process.argv.includes("--check") && stale > 0) process.exitCode = 1;
