// Who gets a place for a TLS handshake, and who loses one when more come.
import { describe, expect, test } from "vitest";

import { type Address, familyOf } from "../../../host/core/address.js";
import { networkOf, type PendingHandshake, Places } from "../../../host/tls/admission.js";

const at = (address: string): Address => ({ address, port: 1, family: familyOf(address) });
const HERE = at("127.0.0.1");
const THERE = at("127.0.0.2");

/** Handshakes, each with a number, and what has happened to them. */
function room(max: number, silentMax: number) {
  const places = new Places(max, silentMax);
  const handshakes: PendingHandshake[] = [];
  const events: string[] = [];
  return {
    events,
    enter(address: Address): number {
      const index = handshakes.length;
      const pending = places.enter(address, () => {
        events.push(`drop ${index}`);
        places.leave(pending);
      });
      handshakes.push(pending);
      return index;
    },
    ask: (index: number) => places.ask(handshakes[index] as PendingHandshake, () => void events.push(`start ${index}`)),
    leave: (index: number) => places.leave(handshakes[index] as PendingHandshake),
  };
}

test("a client that says nothing holds no place", () => {
  const { enter, ask, events } = room(1, 10);
  for (let index = 0; index < 9; index++) enter(HERE);
  ask(enter(HERE));
  expect(events).toEqual(["start 9"]);
});

describe("too many that say nothing", () => {
  test("as many as there may be stay", () => {
    const { enter, events } = room(1, 3);
    for (let index = 0; index < 3; index++) enter(HERE);
    expect(events).toEqual([]);
  });

  test("the oldest goes", () => {
    const { enter, ask, events } = room(1, 3);
    for (let index = 0; index < 5; index++) enter(HERE);
    expect(events).toEqual(["drop 0", "drop 1"]);
    ask(0);
    expect(events).toEqual(["drop 0", "drop 1"]);
  });

  test("it is the oldest of the address that has most", () => {
    const { enter, events } = room(1, 3);
    for (const address of [THERE, HERE, HERE, HERE]) enter(address);
    expect(events).toEqual(["drop 1"]);
  });
});

describe("handshakes", () => {
  test("those of one address wait for each other, in order", () => {
    const { enter, ask, leave, events } = room(2, 10);
    for (let index = 0; index < 4; index++) ask(enter(HERE));
    expect(events).toEqual(["start 0", "start 1"]);
    leave(1);
    leave(1);
    leave(2);
    leave(0);
    expect(events).toEqual(["start 0", "start 1", "start 2", "start 3"]);
  });

  test("another address takes the place of the oldest of the one that has most", () => {
    const { enter, ask, events } = room(3, 10);
    for (let index = 0; index < 3; index++) ask(enter(HERE));
    ask(enter(THERE));
    expect(events.slice(3)).toEqual(["start 3", "drop 0"]);
  });

  test("not when it would then have as many", () => {
    const { enter, ask, leave, events } = room(2, 10);
    for (const address of [HERE, HERE, THERE, THERE]) ask(enter(address));
    expect(events.slice(2)).toEqual(["start 2", "drop 0"]);
    leave(1);
    expect(events.slice(4)).toEqual(["start 3"]);
  });

  test("when as many wait as there are places, one more ends the oldest handshake", () => {
    const { enter, ask, events } = room(2, 10);
    for (let index = 0; index < 4; index++) ask(enter(HERE));
    expect(events.slice(2)).toEqual([]);
    ask(enter(HERE));
    expect(events.slice(2)).toEqual(["drop 0", "start 2"]);
  });

  test("who leaves while it waits is not started", () => {
    const { enter, ask, leave, events } = room(2, 10);
    for (let index = 0; index < 4; index++) ask(enter(HERE));
    leave(2);
    leave(0);
    expect(events).toEqual(["start 0", "start 1", "start 3"]);
  });
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8::1", "2001:db8:0:0"],
  ["2001:db8:1:2::", "2001:db8:1:2"],
  ["::1", "0:0:0:0"],
  ["1::2:3:4:5:6:7", "1:0:2:3"],
  ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
])("%s counts as %s", (address, network) => {
  expect(networkOf(at(address))).toBe(network);
});

test("so do a Unix-domain socket and an unknown peer", () => {
  expect(networkOf({ address: "/run/x", port: 0, family: "unix" })).toBe("/run/x");
  expect(networkOf(null)).toBe("");
});
