/** What packages look for as soon as they are loaded, so before them. */
import { TextDecoder, TextEncoder } from "./text.js";

Object.assign(globalThis, { TextDecoder, TextEncoder });
