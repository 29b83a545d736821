// Which runtime serves a component, by what its file exports; and that no file harms the host.
import { expect, test } from "vitest";
import { componentKind, coreModuleOf } from "../../../host/runtime/componentkind.js";

const PREAMBLE = [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0];
const EXPORTS = 11;
const INSTANCE = 5;

const section = (id: number, content: number[]): number[] => [id, content.length, ...content];
const named = (name: string, ...sort: number[]): number[] => [0, name.length, ...Buffer.from(name), ...sort, 0];
const component = (...sections: number[][]): Uint8Array => Uint8Array.from([...PREAMBLE, ...sections.flat()]);

test.each([
  ["wasi:cli/run@0.2.0", { runtime: "component", isHTTP: false }],
  ["wasi:cli/run@0.3.0", { runtime: "component-async", isHTTP: false }],
  ["wasi:http/incoming-handler@0.2.8", { runtime: "component", isHTTP: true }],
  ["wasi:http/handler@0.3.0", { runtime: "component-async", isHTTP: true }],
  ["wasi:http/handler@1.0.0", "unknown"],
])("%s", (name, kind) => {
  expect(componentKind(component(section(EXPORTS, [1, ...named(name, INSTANCE, 0)])))).toEqual(kind);
  const behindOthers = [2, ...named("a", 0, 0x11, 0), ...named(name, INSTANCE, 3)];
  expect(componentKind(component(section(EXPORTS, [1, ...named("b", 1, 0)]), section(EXPORTS, behindOthers)))).toEqual(
    kind,
  );
});

test("a module, something else and files that are cut off", () => {
  expect(componentKind(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]))).toBeNull();
  expect(componentKind(Uint8Array.from([]))).toBeNull();
  const whole = component(section(EXPORTS, [2, ...named("wasi:cli/run@0.3.0", INSTANCE, 0), ...named("x", 1, 0)]));
  for (let bytes = 0; bytes < whole.length; bytes++) componentKind(whole.subarray(0, bytes));
  const endless = [EXPORTS, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0xff, 0x0f];
  expect(componentKind(component(endless))).toBe("unknown");
  expect(componentKind(component([EXPORTS, 5, 0xff, 0xff, 0xff, 0xff, 0x0f]))).toBe("unknown");
});

test("the first module inside it", () => {
  expect([...coreModuleOf(component(section(1, [7, 8]), section(1, [9])))]).toEqual([7, 8]);
});
