// Numbers that go round: ids of a slot, and the MARKs of a channel that has written 2^32 pieces.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { Channel, FrameHandler } from "../../../assembly/bridge/channel";
import { FRAME_DATA, FRAME_ECHO, FRAME_HEADER_BYTES, FRAME_MARK } from "../../../assembly/bridge/frames";
import { SLOT_BITS } from "../../../assembly/bridge/frames";
import { SLOT_MASK, idAfter } from "../../../assembly/bridge/ids";
import { network } from "../../../assembly/wasi/sim/net";
import { settle } from "../support/sim";

describe("ids", () => {
  test("come back behind all others of their slot, and are never 0", () => {
    for (let slot = 0; slot <= i32(SLOT_MASK); slot += i32(SLOT_MASK)) {
      const first = idAfter(0, slot);
      let id = first;
      let others = 0;
      for (id = idAfter(id, slot); id != first; id = idAfter(id, slot)) {
        expect(id & SLOT_MASK).toBe(slot);
        expect(id >> SLOT_BITS).toBe(++others + 1);
      }
      expect(others).toBe(16382);
    }
  });
});

/** A frame that is an ECHO, a character a byte. */
function echo(sequence: u32): string {
  const bytes: Array<i32> = [0, 0, 0, FRAME_ECHO];
  for (let shift = 0; shift < 32; shift += 8) bytes.push(i32((sequence >> shift) & 0xff));
  return String.fromCharCodes(bytes);
}

let echoed: u32 = 0;
let channel: Channel | null = null;


@final
class Echoes extends FrameHandler {
  onFrame(type: u32, id: u32, source: usize, size: i32): void {
    channel!.echo(id);
    echoed = id;
  }
  onTurnEnd(): void {}
}

function setCounter(offset: usize, value: u32): void {
  store<u32>(changetype<usize>(channel!) + offset, value);
}

describe("MARKs", () => {
  test("go round through 0, with credit as before", () => {
    const before: u32 = u32.MAX_VALUE - 299;
    channel = new Channel(new Echoes());
    setCounter(offsetof<Channel>("marked"), before);
    setCounter(offsetof<Channel>("written"), before);
    setCounter(offsetof<Channel>("echoed"), before);
    const output = network().host.output;
    for (let i: u32 = 1; i <= 600; i++) {
      channel!.send(FRAME_DATA, 1, 100);
      settle();
      output.drop(FRAME_HEADER_BYTES + 100);
      expect(load<u32>(output.source)).toBe(FRAME_MARK << 24);
      expect(load<u32>(output.source, 4)).toBe(before + i);
      output.drop(FRAME_HEADER_BYTES);
      if (i % 30) continue; // some are under way at the edge
      network().host.input.pushText(echo(before + i));
      settle();
      expect(echoed).toBe(before + i);
    }
    expect(before + 600).toBe(300);
    expect(channel!.empty).toBe(true);
  });
});
