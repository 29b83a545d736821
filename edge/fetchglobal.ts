/** What `waterspout build` puts in the place of the global `fetch` where an application names it. */
import { fetch } from "./fetch.js";

export { fetch, fetch as "globalThis.fetch", fetch as "self.fetch" };
