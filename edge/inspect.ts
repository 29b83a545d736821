/** Values as lines of a log. */
import { placed } from "./places.js";

const DEPTH_MAX = 4;

export function inspect(value: unknown, depth = 0, seen: readonly unknown[] = []): string {
  if (typeof value === "string") return depth === 0 ? value : JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `[Function${value.name === "" ? "" : ` ${value.name}`}]`;
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Error) {
    const { stack = "" } = value;
    const text = `${String(value)}${stack === "" ? "" : `\n${placed(stack.trimEnd())}`}`;
    return value.cause === undefined ? text : `${text}\n  cause: ${inspect(value.cause, depth + 1, seen)}`;
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (seen.includes(value)) return "[Circular]";
  if (depth > DEPTH_MAX) return "[Object]";
  const inner = (item: unknown): string => inspect(item, depth + 1, [...seen, value]);
  if (Array.isArray(value)) return `[${value.map((item) => ` ${inner(item)}`).join()} ]`.replace("[ ]", "[]");
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength})`;
  if (value instanceof Map) return `Map(${value.size}) ${inner(Object.fromEntries(value))}`;
  if (value instanceof Set) return `Set(${value.size}) ${inner([...value])}`;
  const pairs = Object.entries(value).map(([key, item]) => ` ${key}: ${inner(item)}`);
  const { name = "Object" } = value.constructor ?? {};
  return `${name === "Object" ? "" : `${name} `}{${pairs.join()}${pairs.length > 0 ? " " : ""}}`;
}

/** As console.log has it: the first text may have places for the others. */
export function format([first, ...rest]: readonly unknown[]): string {
  if (typeof first !== "string") return [first, ...rest].map((value) => inspect(value)).join(" ");
  const text = first.replace(/%([sdifoOjc%])/g, (place, kind: string) => {
    if (kind === "%") return "%";
    if (rest.length === 0) return place;
    const value = rest.shift();
    if (kind === "c") return "";
    if (kind === "d" || kind === "f") return String(Number(value));
    if (kind === "i") return String(Math.trunc(Number(value)));
    return kind === "j" ? JSON.stringify(value) : inspect(value);
  });
  return [text, ...rest.map((value) => inspect(value))].join(" ");
}
