// The websockets of websockethandlers.ts, on a server whose requests have limits, which are none of a websocket's.
import { HTTPServer } from "waterspout";

import websockets from "./websockethandlers.ts";

export default new HTTPServer(websockets, { idleTimeoutMs: 700, headerTimeoutMs: 700, bodyTimeoutMs: 700 });
