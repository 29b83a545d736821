/** `crypto`: chance of the runtime. */
import platform from "waterspout:app/platform@0.2.0";
import { isRunning } from "./clock.js";

const RANDOM_BYTES_MAX = 65536;

export function randomBytes(size: number): Uint8Array {
  if (!isRunning()) {
    throw new Error("there are no random values while modules are loaded: every start would have the same ones");
  }
  return platform.randomBytes(size);
}

export const crypto = {
  getRandomValues<View extends ArrayBufferView>(view: View): View {
    if (view.byteLength > RANDOM_BYTES_MAX) {
      throw new DOMException(`more than ${RANDOM_BYTES_MAX} random bytes at once`, "QuotaExceededError");
    }
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(randomBytes(view.byteLength));
    return view;
  },

  randomUUID(): string {
    const bytes = randomBytes(16);
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
    const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  },
};

/** The engine's own Math.random goes on from where it was when the component was built, at each start. */
export function installRandom(): void {
  const native = Math.random;
  let pool = new Uint32Array(0);
  let at = 0;
  Math.random = (): number => {
    if (!isRunning()) return native();
    if (at + 2 > pool.length) {
      pool = new Uint32Array(platform.randomBytes(1024).slice().buffer);
      at = 0;
    }
    const [high, low] = [(pool[at++] as number) >>> 5, (pool[at++] as number) >>> 6];
    return (high * 2 ** 26 + low) / 2 ** 53;
  };
}
