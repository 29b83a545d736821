/**
 * The trailer fields that a handler has given to a `ServerResponse`: `_trailer`, the text that Node would write. The
 * fallback takes them from the calls of `addTrailers`.
 */
import { ServerResponse } from "./httpclasses.js";
import { nodeInternal } from "./internal.js";
import { sampleResponse } from "./samples.js";

type Pair = [name: string, value: string];
type Given = Parameters<ServerResponse["addTrailers"]>[0];

export const trailerText = nodeInternal("_trailer", "a little time for each answer of a Node handler", () => {
  const response = sampleResponse();
  const before = textOf(response);
  response.addTrailers({ Name: "value" });
  return before === "" && textOf(response) === "Name: value\r\n";
});

const isThere = trailerText.isThere();
const TEXT = Symbol("trailers");

/** Has `trailersOf` find what is given to `addTrailers`. */
export function keepTrailers(response: ServerResponse): void {
  if (isThere) return;
  let text = "";
  Object.assign(response, {
    addTrailers(fields: Given): void {
      const pairs = Array.isArray(fields) ? fields : Object.entries(fields as object);
      ServerResponse.prototype.addTrailers.call(response, fields); // which checks them
      for (const [name, value] of pairs) text += `${name}: ${value}\r\n`;
      Reflect.set(response, TEXT, text);
    },
  });
}

function textOf(response: ServerResponse): string {
  return Reflect.get(response, "_trailer") as string;
}

/** Names and values, in their order. */
export function trailersOf(response: ServerResponse): Pair[] {
  const text = isThere ? textOf(response) : ((Reflect.get(response, TEXT) as string | undefined) ?? "");
  if (text === "") return [];
  return text
    .slice(0, -2)
    .split("\r\n")
    .map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]);
}
