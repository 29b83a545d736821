// The tables behind wasi/poller.ts with as many handles as there can be: every place of them is used, moved and given
// back.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { HANDLES_MAX } from "../../../assembly/core/limits";
import { SUBSCRIPTION_BYTES } from "../../../assembly/wasi/imports";
import * as tiers from "../../../assembly/wasi/backoff";

/** Every subscription of a tier is where its handle's table says, and is that handle's. */
function check(tier: i32, count: i32): void {
  expect(tiers.countOf(tier)).toBe(count);
  let wrong = 0;
  for (let at = 0; at < count; at++) {
    const subscription = load<u64>(tiers.arrayOf(tier) + usize(at) * SUBSCRIPTION_BYTES);
    const fd = load<u64>(tiers.arrayOf(tier) + usize(at) * SUBSCRIPTION_BYTES + 16);
    if (tiers.tierOf(i32(subscription)) != tier || fd != (subscription >> 1) + 7) wrong++;
  }
  expect(wrong).toBe(0);
}

function openAll(): void {
  for (let handle = 0; handle < HANDLES_MAX; handle++) {
    assert(tiers.hasRoom(), "no room");
    tiers.openSlot(handle + 7, tiers.ORDINARY, 0);
  }
}

describe("as many handles as there can be", () => {
  test("have room, and not one more; what one gives back the next gets", () => {
    openAll();
    expect(tiers.hasRoom()).toBe(false);
    tiers.releaseSlot(12345);
    tiers.releaseSlot(HANDLES_MAX - 1);
    expect(tiers.openSlot(1, tiers.ORDINARY, 0)).toBe(HANDLES_MAX - 1);
    expect(tiers.openSlot(1, tiers.ORDINARY, 0)).toBe(12345);
    expect(tiers.hasRoom()).toBe(false);
  });

  test("are all subscribed both ways, in one tier or another", () => {
    openAll();
    const all = HANDLES_MAX * 2;
    for (let subscription = 0; subscription < all; subscription++) tiers.put(subscription, tiers.HOT);
    check(tiers.HOT, all);
    for (let subscription = 0; subscription < all; subscription += 2) tiers.move(subscription, tiers.COLD);
    check(tiers.HOT, all / 2);
    check(tiers.COLD, all / 2);
    for (let subscription = 1; subscription < all; subscription += 2) tiers.move(subscription, tiers.COLD);
    check(tiers.COLD, all);
    for (let subscription = all - 1; subscription >= 0; subscription--) tiers.take(subscription);
    check(tiers.COLD, 0);
  });

  test("are all in the list of probes, which holds without any of them", () => {
    openAll();
    for (let handle = 0; handle < HANDLES_MAX; handle++) tiers.list(handle);
    for (let handle = 1; handle < HANDLES_MAX; handle += 2) tiers.unlist(handle);
    let count = 0;
    for (let handle = tiers.probeHead; handle >= 0; handle = tiers.slotOf(handle).following) {
      assert(handle == count * 2, "out of order");
      count++;
    }
    expect(count).toBe(HANDLES_MAX / 2);
    for (let handle = 0; handle < HANDLES_MAX; handle += 2) tiers.unlist(handle);
    expect(tiers.probeHead).toBe(-1);
    expect(tiers.probeTail).toBe(-1);
  });
});
