/**
 * The platform that an application finds: what of the WinterTC minimum common API is there (docs/edge.md has the list).
 * Invariant: this is loaded before the application's first module.
 */
import * as streams from "web-streams-polyfill";
import { CustomEvent, MessageChannel, MessageEvent, MessagePort } from "./channel.js";
import { installClock } from "./clock.js";
import { structuredClone } from "./clone.js";
import { console } from "./console.js";
import { crypto, installRandom } from "./crypto.js";
import { AbortController, AbortSignal, Event, EventTarget } from "./events.js";
import { Headers } from "./headers.js";
import { inspect } from "./inspect.js";
import { installJSON } from "./json.js";
import { Request, Response } from "./messages.js";
import { report } from "./report.js";
import { URLSearchParams } from "./searchparams.js";
import { TextDecoderStream, TextEncoderStream } from "./textstreams.js";
import { timerGlobals } from "./timers.js";
import { URL } from "./url.js";

const { ReadableStream, WritableStream, TransformStream } = streams;
const { ByteLengthQueuingStrategy, CountQueuingStrategy } = streams;

installClock();
installRandom();
installJSON();
Object.assign(globalThis, {
  ...timerGlobals,
  ...{ AbortController, AbortSignal, CustomEvent, Event, EventTarget, Headers, Request, Response },
  ...{ MessageChannel, MessageEvent, MessagePort, TextDecoderStream, TextEncoderStream },
  ...{ ReadableStream, WritableStream, TransformStream, ByteLengthQueuingStrategy, CountQueuingStrategy },
  ...{ URL, URLSearchParams, console, crypto, self: globalThis },
  navigator: { userAgent: "Waterspout" },
  reportError: (error: unknown): void => report(`uncaught: ${inspect(error)}`),
  structuredClone,
});
