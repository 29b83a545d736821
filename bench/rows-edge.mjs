// The rows of an application in TypeScript as one component, beside the same application elsewhere. Their form is that of
// rows.mjs.

import { CONNECTIONS } from "./load.mjs";
import { EDGE } from "./servers-edge.mjs";

const MANY = 1_000_000;
const WAITING = 100;
const LOADS = {
  hello: { title: `a hello, ${CONNECTIONS} connections` },
  json: { title: `JSON, ${CONNECTIONS} connections`, load: { path: "/json" } },
  echo: { title: `POST of 1 KiB and its echo, ${CONNECTIONS} connections`, load: { script: "post.lua" } },
  // The rate is that of the waits, 10 ms each, unless a server is slower.
  wait: {
    title: `${WAITING} handlers that wait for a timer`,
    load: { path: "/wait", connections: WAITING },
    waits: true,
  },
};
const TITLE = "TypeScript in a component";

const contenders = Object.fromEntries(Object.entries(EDGE).map(([key, server]) => [key, { server }]));
const deployed = Object.entries(EDGE).flatMap(([key, { title, deployed: files }]) =>
  files === undefined ? [] : [[key, { title, files }]],
);

const claim = (over, figure, name, target) => ({ name, of: "component", over, figure, ...target });
const ofNode = (figure, name, target) => claim("http", figure, `${name}, of Node's http`, target);
const ofStarlingMonkey = claim("starlingMonkey", "requestsPerSecond", "requests/s, of StarlingMonkey", { atLeast: 25 });

const loadRow = ([key, { title, load, waits = false }]) => ({
  id: `edge-${key}`,
  kind: "throughput",
  title: `${TITLE}: ${title}, one core`,
  showsMemory: true,
  contenders,
  claims: [
    ofNode("requestsPerSecond", "requests/s", waits ? {} : { atLeast: 1 }),
    ofNode("cpuMicros", "CPU a request"),
    ofNode("rss", "memory", { atMost: 1 / 3 }),
    ...(waits ? [] : [ofStarlingMonkey]),
  ],
  ...load,
});

export const EDGE_ROWS = [
  ...Object.entries(LOADS).map(loadRow),
  {
    id: "edge-start",
    kind: "start",
    title: `${TITLE}: from the start of the process to the first byte, with nothing left to compile, one core`,
    contenders,
    claims: [ofNode("milliseconds", "ms", { atMost: 1 / 3 })],
  },
  {
    id: "edge-size",
    kind: "size",
    title: `${TITLE}: the runtime and what it runs`,
    contenders: Object.fromEntries(deployed),
    claims: [ofNode("bytes", "bytes")],
  },
  {
    id: "edge-memory",
    kind: "growth",
    requests: MANY,
    title: `${TITLE}: memory after a second of load, and after ${MANY.toLocaleString("en")} requests`,
    contenders: Object.fromEntries(Object.entries(LOADS).map(([key, of]) => [key, { server: EDGE.component, ...of }])),
    claims: Object.entries(LOADS).map(([of, { title }]) => ({
      name: `${title}, of that before`,
      of,
      figure: "growth",
      atMost: 1.05,
    })),
  },
];
