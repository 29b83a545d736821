// The tables behind wasi/poller.ts with as many handles as there can be: every place of them is used, moved and given
// back.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { HANDLES_MAX } from "../../../assembly/core/limits";
import { SUBSCRIPTION_BYTES } from "../../../assembly/wasi/imports";
import * as backoff from "../../../assembly/wasi/backoff";

/** Every subscription of a set is where its handle's table says, and is that handle's. */
function check(set: i32, count: i32): void {
  expect(backoff.countOf(set)).toBe(count);
  let wrong = 0;
  for (let at = 0; at < count; at++) {
    const subscription = load<u64>(backoff.arrayOf(set) + usize(at) * SUBSCRIPTION_BYTES);
    const fd = load<u64>(backoff.arrayOf(set) + usize(at) * SUBSCRIPTION_BYTES + 16);
    if (backoff.setOf(i32(subscription)) != set || fd != (subscription >> 1) + 7) wrong++;
  }
  expect(wrong).toBe(0);
}

function openAll(): void {
  for (let handle = 0; handle < HANDLES_MAX; handle++) {
    assert(backoff.hasRoom(), "no room");
    backoff.openSlot(handle + 7, backoff.ORDINARY, 0);
  }
}

describe("as many handles as there can be", () => {
  test("have room, and not one more; what one gives back the next gets", () => {
    openAll();
    expect(backoff.hasRoom()).toBe(false);
    backoff.releaseSlot(12345);
    backoff.releaseSlot(HANDLES_MAX - 1);
    expect(backoff.openSlot(1, backoff.ORDINARY, 0)).toBe(HANDLES_MAX - 1);
    expect(backoff.openSlot(1, backoff.ORDINARY, 0)).toBe(12345);
    expect(backoff.hasRoom()).toBe(false);
  });

  test("are all subscribed both ways, in one set or another", () => {
    openAll();
    const all = HANDLES_MAX * 2;
    for (let subscription = 0; subscription < all; subscription++) backoff.put(subscription, backoff.HOT);
    check(backoff.HOT, all);
    for (let subscription = 0; subscription < all; subscription += 2) backoff.move(subscription, backoff.COLD);
    check(backoff.HOT, all / 2);
    check(backoff.COLD, all / 2);
    for (let subscription = 1; subscription < all; subscription += 2) backoff.move(subscription, backoff.COLD);
    check(backoff.COLD, all);
    for (let subscription = all - 1; subscription >= 0; subscription--) backoff.take(subscription);
    check(backoff.COLD, 0);
  });

  test("are all in the list of probes, which holds without any of them", () => {
    openAll();
    for (let handle = 0; handle < HANDLES_MAX; handle++) backoff.list(handle);
    for (let handle = 1; handle < HANDLES_MAX; handle += 2) backoff.unlist(handle);
    let count = 0;
    for (let handle = backoff.probeHead; handle >= 0; handle = backoff.slotOf(handle).following) {
      assert(handle == count * 2, "out of order");
      count++;
    }
    expect(count).toBe(HANDLES_MAX / 2);
    for (let handle = 0; handle < HANDLES_MAX; handle += 2) backoff.unlist(handle);
    expect(backoff.probeHead).toBe(-1);
    expect(backoff.probeTail).toBe(-1);
  });
});
