// Which parts of a write leave at once, and which wait in the host.
import { describe, expect, test } from "vitest";

import { WriteWindow } from "../../../host/bridge/writewindow.js";
import {
  PIECE_BYTES,
  WINDOW_BYTES_MIN,
  WRITE_WINDOW_BYTES_FIRST,
  WRITE_WINDOW_SHARE,
} from "../../../host/core/limits.js";

/** A window of a peer that has taken nothing, and the sizes of the pieces that have been sent. */
function windowOf(most: number): { window: WriteWindow; sizes: number[] } {
  const sizes: number[] = [];
  return { window: new WriteWindow(most, (_source, start, end) => sizes.push(end - start)), sizes };
}

describe("a write", () => {
  test("of one piece leaves whole, though the window is smaller: its memory is free then", () => {
    const { window, sizes } = windowOf(4 * PIECE_BYTES);
    expect(window.room).toBe(WRITE_WINDOW_BYTES_FIRST);
    window.push(Buffer.alloc(PIECE_BYTES));
    expect(sizes).toEqual([PIECE_BYTES]);
    window.push(Buffer.alloc(1));
    expect(window.room).toBe(0);
    expect(sizes).toEqual([PIECE_BYTES]);
    window.sent(PIECE_BYTES);
    expect(sizes).toEqual([PIECE_BYTES, 1]);
  });

  test("of more than a piece leaves window by window, its last piece whole", () => {
    const { window, sizes } = windowOf(4 * PIECE_BYTES);
    window.push(Buffer.alloc(PIECE_BYTES + WRITE_WINDOW_BYTES_FIRST));
    expect(sizes).toEqual([WRITE_WINDOW_BYTES_FIRST]);
    window.sent(WRITE_WINDOW_BYTES_FIRST);
    expect(sizes).toEqual([WRITE_WINDOW_BYTES_FIRST, PIECE_BYTES]);
  });

  test("is waited for until its peer has taken it; when the window has grown, by so much less", async () => {
    const { window } = windowOf(4 * PIECE_BYTES);
    let ready = 0;
    const write = () => {
      window.push(Buffer.alloc(PIECE_BYTES));
      void window.ready().then(() => ready++);
    };
    for (let taken = 0; taken < WRITE_WINDOW_SHARE * (WRITE_WINDOW_BYTES_FIRST + PIECE_BYTES); taken += PIECE_BYTES) {
      const before = ready;
      write();
      await Promise.resolve();
      expect(ready).toBe(before);
      window.sent(PIECE_BYTES);
      await Promise.resolve();
      expect(ready).toBe(before + 1);
    }
    const before = ready;
    write();
    await Promise.resolve();
    expect(ready).toBe(before + 1);
    write();
    await Promise.resolve();
    expect(ready).toBe(before + 1);
    expect(window.waiting).toBe(2 * PIECE_BYTES);
  });

  test("never leaves with more than a window that is smaller than a piece", () => {
    const { window, sizes } = windowOf(WINDOW_BYTES_MIN);
    window.push(Buffer.alloc(WINDOW_BYTES_MIN + 1));
    expect(sizes).toEqual([WINDOW_BYTES_MIN]);
    window.sent(WINDOW_BYTES_MIN);
    expect(sizes).toEqual([WINDOW_BYTES_MIN, 1]);
  });
});
