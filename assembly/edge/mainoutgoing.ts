// The core of a component whose handler sends requests to other servers: that of main.ts, and the imports to connect
// with.
import "./outgoing";

export { _start, turn } from "./main";
