// W3C Trace Context: which fields continue a trace.
import { expect, test } from "vitest";

import { Application, type TraceContext, traceContextOf } from "../../../host/index.js";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

async function contextOf(headers: Record<string, string | string[]>): Promise<TraceContext | null> {
  const answer = await new Application([
    ["/", (request) => request.respond(200, {}, JSON.stringify(traceContextOf(request)))],
  ]).inject({ headers });
  return answer.json();
}

const parsed = { traceId: TRACE, parentId: PARENT, sampled: true, traceState: "" };

test.each<[string, object | null]>([
  [`00-${TRACE}-${PARENT}-01`, parsed],
  [`00-${TRACE}-${PARENT}-00`, { ...parsed, sampled: false }],
  [`00-${TRACE}-${PARENT}-ff`, parsed],
  [`01-${TRACE}-${PARENT}-01-later`, parsed],
  [`01-${TRACE}-${PARENT}-01`, parsed],
  [`01-${TRACE}-${PARENT}-01later`, null],
  [`00-${TRACE}-${PARENT}-01-later`, null],
  [`ff-${TRACE}-${PARENT}-01`, null],
  [`00-${"0".repeat(32)}-${PARENT}-01`, null],
  [`00-${TRACE}-${"0".repeat(16)}-01`, null],
  [`00-${TRACE.toUpperCase()}-${PARENT}-01`, null],
  [`00-${TRACE}-${PARENT}`, null],
  ["", null],
])("traceparent: %s", async (traceparent, expected) => {
  expect(await contextOf({ traceparent })).toEqual(expected);
});

test("two fields are none, and the state comes along", async () => {
  const traceparent = `00-${TRACE}-${PARENT}-01`;
  expect(await contextOf({ traceparent: [traceparent, traceparent] })).toBeNull();
  expect(await contextOf({})).toBeNull();
  expect(await contextOf({ traceparent, tracestate: ["a=1", "b=2"] })).toEqual({ ...parsed, traceState: "a=1, b=2" });
});
