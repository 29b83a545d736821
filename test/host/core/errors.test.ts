// The error of a read that met the peer's end.
import { describe, expect, test } from "vitest";

import { readError, StreamClosedError } from "../../../host/core/errors.js";

describe("a read that meets its peer's end", () => {
  test("rejects with an error that has a reason and no stack", () => {
    const error = readError("END");
    expect(error).toBeInstanceOf(StreamClosedError);
    expect(error).toMatchObject({ code: "STREAM_CLOSED", reason: "END" });
    expect(error.stack?.split("\n")).toHaveLength(1);
  });

  test("leaves the stacks of other errors as they were", () => {
    readError("END");
    expect(readError("RESET").stack?.split("\n").length).toBeGreaterThan(1);
    expect(new Error("another").stack?.split("\n").length).toBeGreaterThan(1);
  });
});
