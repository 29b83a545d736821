/**
 * Whether a `.wasm` file is a component, and what serves it, read from the names that it exports.
 *
 * Invariant: what is not as it should be is skipped and throws nothing; whether the rest of the file is in order,
 * wasmtime finds out.
 * Reference: the Component Model's Binary.md: preamble, sections, export definitions.
 */
import { readFileSync } from "node:fs";
import type { ComponentName } from "../core/runtimename.js";
import { type Section, sectionsOf } from "./modulesections.js";

/** How a component is served. */
export interface ComponentKind {
  readonly runtime: ComponentName;
  /** It is of wasi:http: connections are the runtime's. */
  readonly isHTTP: boolean;
}

/** The magic number, the version, and the layer that only components have. */
const PREAMBLE = Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]);
const CORE_MODULE_SECTION = 1;
const EXPORT_SECTION = 11;
/** A sort that is followed by the sort of something inside a core module. */
const CORE_SORT = 0;

const KINDS: readonly (readonly [start: string, kind: ComponentKind])[] = [
  ["wasi:cli/run@0.2.", { runtime: "component", isHTTP: false }],
  ["wasi:cli/run@0.3.", { runtime: "component-async", isHTTP: false }],
  ["wasi:http/incoming-handler@0.2.", { runtime: "component", isHTTP: true }],
  ["wasi:http/handler@0.3.", { runtime: "component-async", isHTTP: true }],
];

/** Null: it is no component. "unknown": it is one that exports nothing by which it can be served. */
export function componentKind(bytes: Uint8Array): ComponentKind | "unknown" | null {
  if (!PREAMBLE.equals(bytes.subarray(0, PREAMBLE.length))) return null;
  const names = sectionsOf(bytes, EXPORT_SECTION).flatMap(exportedNames);
  return KINDS.find(([start]) => names.some((name) => name.startsWith(start)))?.[1] ?? "unknown";
}

/** The same of a file; null also when there is none. */
export function componentKindOf(file: string): ComponentKind | "unknown" | null {
  try {
    return componentKind(readFileSync(file));
  } catch {
    return null; // opening it to load it says why
  }
}

/** The first module inside a component, which is the application; the component itself when there is none. */
export function coreModuleOf(component: Uint8Array): Uint8Array {
  const [section] = sectionsOf(component, CORE_MODULE_SECTION);
  return section === undefined ? component : component.subarray(section.content.at, section.end);
}

/** Up to the first export with a type of its own, which instances do not have. */
function exportedNames({ content, end }: Section): string[] {
  const names: string[] = [];
  const count = content.next();
  while (names.length < count && content.at < end) {
    content.next(); // how the name is written
    names.push(content.text());
    if (content.next() === CORE_SORT) content.next();
    content.next(); // its index
    if (content.next() !== 0) break;
  }
  return names;
}
