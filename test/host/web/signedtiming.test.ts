// The time that checking a signed value takes does not reveal the right signature: wherever it differs, the same work
// is done, and the two are compared by what Node has for secrets.
import { expect, test, vi } from "vitest";

const calls: string[] = [];
vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof import("node:crypto")>();
  const counted =
    <Args extends unknown[], Result>(name: string, call: (...args: Args) => Result) =>
    (...args: Args): Result => {
      calls.push(name);
      return call(...args);
    };
  return {
    ...crypto,
    createHmac: counted("createHmac", crypto.createHmac),
    timingSafeEqual: counted("timingSafeEqual", crypto.timingSafeEqual),
  };
});
const { createSignedValue, decodeSignedValue, equal } = await import("../../../host/web/signedvalue.js");

const now = 1_700_000_000_000;
const signed = createSignedValue("secret", "user", "me", { now });
const start = signed.lastIndexOf("|") + 1;

test("wherever a signature differs, all of it is compared", () => {
  for (let at = start; at < signed.length; at++) {
    calls.length = 0;
    const forged = signed.slice(0, at) + (signed[at] === "0" ? "1" : "0") + signed.slice(at + 1);
    expect(decodeSignedValue("secret", "user", forged, { now })).toBeNull();
    expect(calls).toEqual(["createHmac", "timingSafeEqual"]);
  }
});

test("nothing that a signature covers is looked at before it: neither its name nor its age", () => {
  for (const [name, age] of [
    ["user", 0],
    ["other", 0],
    ["user", 365 * 86_400_000],
  ] as const) {
    calls.length = 0;
    decodeSignedValue("secret", name, `${signed.slice(0, -1)}!`, { now: now + age });
    expect(calls).toEqual(["createHmac", "timingSafeEqual"]);
  }
});

test("another length is no exception, and no match", () => {
  expect(decodeSignedValue("secret", "user", signed.slice(0, -1), { now })).toBeNull();
  expect(decodeSignedValue("secret", "user", `${signed}0`, { now })).toBeNull();
  expect(decodeSignedValue("secret", "user", `${signed.slice(0, -1)}\u0130`, { now })).toBeNull();
  expect([equal("a", "ab"), equal("", ""), equal(Buffer.from("a"), Buffer.from("a"))]).toEqual([false, true, true]);
});
