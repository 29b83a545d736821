// Which parts of a write leave at once, and which wait in the host.
import { describe, expect, test } from "vitest";

import { WriteWindow } from "../../../host/bridge/writewindow.js";
import { PIECE_BYTES, WINDOW_BYTES_MIN, WRITE_WINDOW_BYTES_FIRST } from "../../../host/core/limits.js";

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

  test("never leaves with more than a window that is smaller than a piece", () => {
    const { window, sizes } = windowOf(WINDOW_BYTES_MIN);
    window.push(Buffer.alloc(WINDOW_BYTES_MIN + 1));
    expect(sizes).toEqual([WINDOW_BYTES_MIN]);
    window.sent(WINDOW_BYTES_MIN);
    expect(sizes).toEqual([WINDOW_BYTES_MIN, 1]);
  });
});
