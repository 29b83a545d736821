// How much memory a process may take, by what its system says of it.
import { spawnSync } from "node:child_process";
import { expect, test, vi } from "vitest";

import { resolveBridge } from "../../../host/bridge/settings.js";
import { CONNECTIONS_MAX, MEMORY_BYTES_MAX } from "../../../host/core/limits.js";
import {
  memoryIn,
  memoryRoom,
  roomWithin,
  SANDBOX_SHARE,
  shareMemory,
  systemLimits,
} from "../../../host/core/memorybudget.js";

const MIB = 1 << 20;
const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max data size             DATA            unlimited            bytes
Max stack size            8388608              unlimited            bytes
Max address space         SPACE            unlimited            bytes
`;
const STATUS = "Name:\tnode\nVmPeak:\t  900000 kB\nVmSize:\t  614400 kB\nVmData:\t  102400 kB\n";

test.each([
  ["unlimited", "unlimited", []],
  [String(256 * MIB), "unlimited", [{ max: 256 * MIB, used: 100 * MIB }]],
  ["unlimited", String(2048 * MIB), [{ max: 2048 * MIB, used: 600 * MIB }]],
])("limits of Linux: data %s, address space %s", (data, space, expected) => {
  expect(systemLimits(LIMITS.replace("DATA", data).replace("SPACE", space), STATUS)).toEqual(expected);
});

test("another system tells nothing: no limits", () => {
  expect(systemLimits("", "")).toEqual([]);
  expect(roomWithin([])).toBe(Number.POSITIVE_INFINITY);
});

test("the tightest limit counts, less what is used and what JavaScript needs; something is always left", () => {
  const wide = { max: 4096 * MIB, used: 600 * MIB };
  expect(roomWithin([wide, { max: 256 * MIB, used: 100 * MIB }])).toBe(124 * MIB);
  expect(roomWithin([{ max: 2 ** 63, used: 1 }])).toBeGreaterThan(2 ** 50);
  expect(roomWithin([wide, { max: 10 * MIB, used: 100 * MIB }])).toBe(16 * MIB);
});

test("processes that share a container have a part of its limit each", () => {
  vi.spyOn(process, "constrainedMemory").mockReturnValue(4096 * MIB);
  vi.spyOn(process.memoryUsage, "rss").mockReturnValue(100 * MIB);
  shareMemory(4);
  expect(memoryRoom()).toBeLessThanOrEqual((1024 - 100 - 32) * MIB);
  vi.restoreAllMocks();
  shareMemory(1);
});

test.each([
  ["256M", 256 * MIB],
  ["1g", 1024 * MIB],
  ["65536K", 64 * MIB],
  ["67108864", 64 * MIB],
  ["65535K", null],
  ["", null],
  ["256MB", null],
  ["-1G", null],
  ["1.5G", null],
  ["much", null],
])("the size %j", (text, bytes) => {
  expect(memoryIn(text)).toBe(bytes);
});

// Node 24 does not even start with so little.
const startsWithin = spawnSync("prlimit", [`--data=${256 * MIB}`, process.execPath, "-e", "0"]).status === 0;

test.runIf(startsWithin)("the options of a server are parts of it, and what is said wins", () => {
  const program = `import("./dist/host/index.js").then(({ HTTPServer }) => {
    const options = [{}, { memoryBytesMax: 5 << 20, bodiesBytesMax: 7 }, { runtime: "wasmtime", workers: 2 }];
    const made = options.map((given) => new HTTPServer(() => {}, given));
    const bounds = ({ options: o }) => [o.bodiesBytesMax, o.memoryBytesMax, o.connectionsMax];
    console.log(JSON.stringify(made.map(bounds)));
  })`;
  const { stdout } = spawnSync("prlimit", [`--data=${256 * MIB}`, process.execPath, "-e", program], {
    encoding: "utf8",
  });
  const [[bodies, memory, connections], said, two] = JSON.parse(stdout) as number[][];
  expect(bodies).toBeGreaterThan(2 * MIB);
  expect(bodies).toBeLessThan(28 * MIB);
  expect(memory).toBe(bodies);
  expect(connections).toBeLessThan(3584);
  expect(said).toEqual([7, 5 * MIB, connections]);
  expect(two[1]).toBe(Math.floor(memory / 2));
});

// Where the machine sets no limit that 64 workers reach.
const isUnlimited = memoryRoom() / SANDBOX_SHARE / 64 > MEMORY_BYTES_MAX;

test.runIf(isUnlimited).each([1, 2, 64])("without a limit each of %i workers has the usual bounds", (workers) => {
  const { memoryBytesMax, connectionsMax } = resolveBridge({}, workers);
  expect([memoryBytesMax, connectionsMax]).toEqual([MEMORY_BYTES_MAX, CONNECTIONS_MAX]);
});
