/** `structuredClone`. Reference: html.spec.whatwg.org 2.7. */
import copyOf from "@ungap/structured-clone";

export function structuredClone(value: unknown): unknown {
  try {
    return copyOf(value);
  } catch (error) {
    throw new DOMException((error as Error).message, "DataCloneError");
  }
}
