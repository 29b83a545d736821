/**
 * One component made of two: the core, which imports `waterspout:app/handler` and what may be served beside requests,
 * and a handler, which exports at least the first and imports nothing but `waterspout:app/platform`.
 *
 * Both stand in the new component as they are, and a third one that exports what the handler does not. Its imports are
 * those of the core without the handler, and `platform` is put together out of three functions of WASI. Invariant: the
 * handler gets these three and nothing else.
 * Reference: the component model's Binary.md.
 */

import { inspectCore } from "../inspectmodule.js";

const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];
const SECTION = { coreModule: 1, component: 4, instance: 5, alias: 6, type: 7, import: 10, export: 11 };
const SORT = { core: 0x00, func: 0x01, type: 0x03, instance: 0x05 };

const HANDLER = "waterspout:app/handler@0.2.0";
/** What a handler need not export: scripts/absent.mjs makes what stands in its place. */
const OUTGOING = "waterspout:app/outgoing@0.2.0";
const OPTIONAL = ["waterspout:app/streams@0.2.0", "waterspout:app/websockets@0.2.0", OUTGOING];
const PLUGGED = [HANDLER, ...OPTIONAL];
const PLATFORM = "waterspout:app/platform@0.2.0";
const RUN = "wasi:cli/run@0.3.0";
const RANDOM = "wasi:random/random@0.3.0";
const SYSTEM_CLOCK = "wasi:clocks/system-clock@0.3.0";
const MONOTONIC_CLOCK = "wasi:clocks/monotonic-clock@0.3.0";

const PLATFORM_FUNCTIONS = [`${SYSTEM_CLOCK}.now`, `${MONOTONIC_CLOCK}.now`, `${RANDOM}.get-random-bytes`];

/** `(instance (export "get-random-bytes" (func (param "max-len" u64) (result (list u8)))))` */
const RANDOM_TYPE = [
  [0x42, 0x03],
  [0x01, 0x70, 0x7d],
  [0x01, 0x40, ...list([[...text("max-len"), 0x77]]), 0x00, 0x00],
  [0x04, ...name("get-random-bytes"), 0x01, 0x01],
].flat();

/** A component of two, and the functions that it imports, as `interface.function`. */
export interface Composed {
  bytes: Uint8Array;
  imports: string[];
}

/** Plugs `handler` into `core`, and `absent` where it is needed. Throws an Error when `core` is not of that kind. */
export function compose(core: Uint8Array, handler: Uint8Array, absent: Uint8Array): Composed {
  const { sections, instances, plugged: wanted, types, module } = importsOf(core);
  const random = instances.length;
  const instanceOf = (name: string): number => {
    const found = instances.indexOf(name);
    if (found < 0) throw new Error(`the core does not import ${name}`);
    return found;
  };
  const exported = exportsOf(handler);
  const isWhole = wanted.every((name) => exported.includes(name));
  const [platform, plugged, substitute] = [1, 2, 3].map((after) => random + after) as number[];
  const first = isWhole ? (substitute as number) : (substitute as number) + 1;
  const served = first + wanted.length;
  const given = [...instances, RANDOM].map((imported, index) => withInstance(imported, index));
  const bytes = Buffer.concat([
    Buffer.from(PREAMBLE),
    ...sections,
    section(SECTION.type, list([RANDOM_TYPE])),
    section(SECTION.import, list([[...name(RANDOM), SORT.instance, ...number(types)]])),
    section(SECTION.component, core),
    section(SECTION.component, handler),
    ...(isWhole ? [] : [section(SECTION.component, absent)]),
    section(
      SECTION.alias,
      list([
        [SORT.type, 0x00, ...number(instanceOf(SYSTEM_CLOCK)), ...text("instant")], // type number types + 1
        [SORT.func, 0x00, ...number(instanceOf(SYSTEM_CLOCK)), ...text("now")],
        [SORT.func, 0x00, ...number(instanceOf(MONOTONIC_CLOCK)), ...text("now")],
        [SORT.func, 0x00, ...number(random), ...text("get-random-bytes")],
      ]),
    ),
    section(
      SECTION.instance,
      list([
        [
          0x01,
          ...list([
            [...name("instant"), SORT.type, ...number(types + 1)],
            [...name("system-now"), SORT.func, 0],
            [...name("monotonic-now"), SORT.func, 1],
            [...name("random-bytes"), SORT.func, 2],
          ]),
        ],
        [0x00, 1, ...list([withInstance(PLATFORM, platform as number)])],
        ...(isWhole ? [] : [[0x00, 2, 0]]),
      ]),
    ),
    section(
      SECTION.alias,
      list(
        wanted.map((name) => {
          const instance = exported.includes(name) ? plugged : substitute;
          return [SORT.instance, 0x00, ...number(instance as number), ...text(name)];
        }),
      ),
    ),
    section(
      SECTION.instance,
      list([[0x00, 0, ...list([...given, ...wanted.map((name, index) => withInstance(name, first + index))])]]),
    ),
    section(SECTION.alias, list([[SORT.instance, 0x00, ...number(served), ...text(RUN)]])),
    section(SECTION.export, list([[...name(RUN), SORT.instance, ...number(served + 1), 0x00]])),
  ]);
  const called = inspectCore(module).imports.filter((name) => !name.startsWith("waterspout:"));
  return { bytes, imports: [...new Set([...called, ...PLATFORM_FUNCTIONS])].sort() };
}

/** Why `file` cannot be plugged into a core; null: it can. */
export function handlerProblemOf(file: Uint8Array): string | null {
  if (!PREAMBLE.every((byte, at) => file[at] === byte)) return "is no component";
  for (const content of sectionsOf(file, SECTION.import)) {
    for (let left = content.number(); left > 0; left--) {
      const [, imported] = [content.byte(), content.text(), content.byte(), content.number()];
      if (imported !== PLATFORM) return `imports ${imported}, which a handler is not given`;
    }
  }
  return exportsOf(file).includes(HANDLER) ? null : `does not export ${HANDLER}`;
}

/** Whether a handler sends requests to other servers. */
export function isClient(handler: Uint8Array): boolean {
  return exportsOf(handler).includes(OUTGOING);
}

/** Those of PLUGGED that a component exports. */
function exportsOf(component: Uint8Array): string[] {
  const exported = sectionsOf(component, SECTION.export).map((content) => Buffer.from(content.rest()));
  return PLUGGED.filter((name) => exported.some((body) => body.includes(name)));
}

/** The contents of a component's sections of one kind. */
function sectionsOf(component: Uint8Array, wanted: number): Reader[] {
  const reader = new Reader(component, PREAMBLE.length);
  const found: Reader[] = [];
  while (!reader.ended) {
    const [id, body] = [reader.byte(), reader.block()];
    if (id === wanted) found.push(new Reader(body, 0));
  }
  return found;
}

/** The beginning of a component, as far as it imports. */
interface Imports {
  /** Without the imports of what is plugged in. */
  sections: Uint8Array[];
  /** The imported instances that are left, by their numbers. */
  instances: string[];
  /** Those of PLUGGED that it imports. */
  plugged: string[];
  /** How many types there are. */
  types: number;
  /** The module behind them. */
  module: Uint8Array;
}

function importsOf(component: Uint8Array): Imports {
  const reader = new Reader(component, PREAMBLE.length);
  const found: Imports = { sections: [], instances: [], plugged: [], types: 0, module: new Uint8Array(0) };
  const plugged: number[] = []; // the numbers of their instances
  let imports = 0;
  while (!reader.ended) {
    const [id, body] = [reader.byte(), reader.block()];
    if (id === SECTION.coreModule) {
      found.module = body;
      break;
    }
    const content = new Reader(body, 0);
    const count = content.number();
    if (id === SECTION.type) found.types += count;
    if (id === SECTION.type) found.sections.push(section(id, body));
    if (id === SECTION.alias) {
      const aliases = Array.from({ length: count }, () => renumbered(content, plugged));
      found.types += aliases.filter(([sort]) => sort === SORT.type).length;
      found.sections.push(section(id, list(aliases)));
    }
    if (id !== SECTION.import) continue;
    const kept: number[][] = [];
    for (let i = 0; i < count; i++) {
      const [kind, imported, sort, type] = [content.byte(), content.text(), content.byte(), content.number()];
      if (sort !== SORT.instance) throw new Error(`the core imports ${imported}, which is no instance`);
      const instance = imports++;
      if (PLUGGED.includes(imported)) {
        plugged.push(instance);
        found.plugged.push(imported);
      } else {
        kept.push([kind, ...text(imported), sort, ...number(type)]);
        found.instances.push(imported);
      }
    }
    if (kept.length > 0) found.sections.push(section(id, list(kept)));
  }
  const missing = PLUGGED.filter((name) => name !== OUTGOING && !found.plugged.includes(name));
  if (missing.length > 0) throw new Error(`the core does not import ${missing.join(" and ")}`);
  return found;
}

/** The next alias, whose instance has another number without those that are plugged in. */
function renumbered(reader: Reader, plugged: readonly number[]): number[] {
  const [sort, kind, instance, exported] = [reader.byte(), reader.byte(), reader.number(), reader.text()];
  if (kind !== 0x00 || sort === SORT.core || plugged.includes(instance))
    throw new Error("the core's imports are not known");
  const before = plugged.filter((each) => each < instance).length;
  return [sort, kind, ...number(instance - before), ...text(exported)];
}

class Reader {
  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
  ) {}

  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error("the core is cut off");
    return byte;
  }

  /** LEB128. */
  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  block(): Uint8Array {
    const size = this.number();
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  rest(): Uint8Array {
    return this.bytes.subarray(this.at);
  }

  text(): string {
    return Buffer.from(this.block()).toString();
  }
}

function number(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...number(value >>> 7)];
}

function text(value: string): number[] {
  const bytes = Buffer.from(value);
  return [...number(bytes.length), ...bytes];
}

/** Of an import or an export. */
function name(value: string): number[] {
  return [0x00, ...text(value)];
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...number(items.length), ...items.flat()];
}

function withInstance(value: string, instance: number): number[] {
  return [...text(value), SORT.instance, ...number(instance)];
}

function section(id: number, body: readonly number[] | Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([id, ...number(body.length)]), Uint8Array.from(body)]);
}
