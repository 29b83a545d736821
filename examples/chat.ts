// A small chat: a page at / and a websocket at /ws. What one says all others read.
//
//     waterspout run examples/chat.ts
//
// A slow reader does not hold up the others: what a member does not take is kept up to a bound, then it is dropped. Members live
// in this process, so with --workers each worker has a room of its own.
import { type HTTPServerRequest, WebSocketHandler } from "waterspout";

const NAME_CHARS_MAX = 20;
const TEXT_CHARS_MAX = 1_000;
const HISTORY_MAX = 50;
/** What may wait for one member beyond its connection's window. */
const BEHIND_BYTES_MAX = 1 << 20;

const members = new Set<Member>();
const history: string[] = [];

/** Serves the page and the websocket. */
export default function chat(request: HTTPServerRequest): void {
  if (request.path === "/ws") return Member.serve(request);
  if (request.path !== "/") return request.respond(404, { "Content-Type": "text/plain" }, "Not Found\n");
  if (request.method !== "GET" && request.method !== "HEAD") return request.respond(405, { Allow: "GET, HEAD" });
  request.respond(200, PAGE_HEADERS, PAGE);
}

class Member extends WebSocketHandler {
  static override maxMessageBytes = 8192;
  static override websocketPingIntervalMs = 30_000;
  #name = "";

  override open(): void {
    members.add(this);
    for (const line of history) this.writeMessage(line);
  }

  /** The first message is a name, all others are what its bearer says. */
  override onMessage(message: string | Buffer): void {
    if (typeof message !== "string") return this.close(1003, "text only");
    if (this.#name !== "") return say(this.#name, message.slice(0, TEXT_CHARS_MAX));
    this.#name = message.trim().slice(0, NAME_CHARS_MAX) || "guest";
    say("", `${this.#name} has come`);
  }

  override onClose(): void {
    members.delete(this);
    if (this.#name !== "") say("", `${this.#name} has left`);
  }
}

/** Sends to all members; a line without a name is the room's own. */
function say(name: string, text: string): void {
  const line = JSON.stringify({ name, text, time: new Date().toISOString() });
  history.push(line);
  if (history.length > HISTORY_MAX) history.shift();
  for (const member of members) member.writeMessage(line);
  for (const member of [...members]) if (member.bufferedBytes > BEHIND_BYTES_MAX) member.abort();
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Waterspout chat</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { display: flex; flex-direction: column; box-sizing: border-box; height: 100dvh; max-width: 44rem; margin: 0 auto; padding: 1rem; }
  h1 { font-size: 1.25rem; margin: 0 0 .5rem; display: flex; justify-content: space-between; align-items: baseline; }
  #state { font-size: .875rem; font-weight: normal; opacity: .75; }
  #lines { flex: 1; overflow-y: auto; margin: 0; padding: .75rem; list-style: none; border: 1px solid #8886; border-radius: .5rem; }
  #lines li { overflow-wrap: anywhere; }
  #lines b { margin-right: .5rem; color: #0b63b5; }
  #lines time { float: right; margin-left: 1rem; font-size: .8rem; opacity: .75; }
  #lines .room { font-style: italic; opacity: .75; }
  form { display: flex; gap: .5rem; margin-top: .75rem; }
  input, button { font: inherit; padding: .5rem .75rem; border: 1px solid #8886; border-radius: .5rem; }
  input { flex: 1; min-width: 0; }
  @media (prefers-color-scheme: dark) { #lines b { color: #7cb8ff; } }
</style>
<h1>Waterspout chat <span id="state" role="status">Connecting…</span></h1>
<ul id="lines" role="log" aria-label="Conversation" tabindex="0"></ul>
<form>
  <input id="text" aria-label="Your name" placeholder="Your name" maxlength="${NAME_CHARS_MAX}" autocomplete="off" autofocus required>
  <button id="send" disabled>Join</button>
</form>
<script>
  const [state, lines, text, send] = ["state", "lines", "text", "send"].map((id) => document.getElementById(id));
  const socket = new WebSocket(new URL("/ws", location).href.replace(/^http/, "ws"));
  let name = "";
  socket.onopen = () => { state.textContent = "Connected"; send.disabled = false; };
  socket.onclose = ({ code, reason }) => {
    state.textContent = "Closed (" + code + (reason && ": " + reason) + "). Reload to come back.";
    send.disabled = true;
  };
  socket.onmessage = ({ data }) => {
    const line = JSON.parse(data);
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.textContent = new Date(line.time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    item.append(time);
    if (line.name === "") item.className = "room";
    else item.append(Object.assign(document.createElement("b"), { textContent: line.name }));
    item.append(line.text);
    lines.append(item);
    lines.scrollTop = lines.scrollHeight;
  };
  document.forms[0].onsubmit = (event) => {
    event.preventDefault();
    if (socket.readyState !== WebSocket.OPEN || text.value.trim() === "") return;
    socket.send(text.value);
    if (name === "") {
      name = text.value;
      text.placeholder = "Message";
      text.ariaLabel = "Message";
      text.maxLength = ${TEXT_CHARS_MAX};
      send.textContent = "Send";
    }
    text.value = "";
    text.focus();
  };
</script>
</html>
`;
const PAGE_HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy":
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'",
};
