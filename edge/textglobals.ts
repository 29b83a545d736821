/** What modules look for as soon as they are loaded, so before them. */
import { Buffer } from "./buffer.js";
import { TextDecoder, TextEncoder } from "./text.js";

Object.assign(globalThis, { Buffer, TextDecoder, TextEncoder });
