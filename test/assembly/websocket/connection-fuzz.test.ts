// Seeded sessions over a faulty network: many clients at once that speak WebSocket well or badly, in any pieces, read
// slowly, vanish. No trap, no hang; every message of a client that behaves comes back whole and in order; a client that
// breaks the protocol gets the close code for it and is over; nothing of another client's is ever among what one receives; nothing is
// left behind.
import { TestOptions, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { HTTPServer } from "../../../assembly/http/server";
import { HTTPHandler, HTTPServerRequest } from "../../../assembly/http/request";
import { LINGER_MS, WRITE_TIMEOUT_MS, WS_CLOSE_TIMEOUT_MS } from "../../../assembly/core/limits";
import { CONNECTIONS_NOW, REQUESTS_NOW, stat } from "../../../assembly/core/stats";
import { Peer, connect, network } from "../../../assembly/wasi/sim/net";
import { WebSocketConnection } from "../../../assembly/websocket/connection";
import { WebSocketHandler } from "../../../assembly/websocket/handler";
import { mutate, seed as seedMutations } from "../protocol/http/support/random";
import { bytes, settle, sleep, text, turn } from "../support/sim";
import { closing, handshake, masked } from "../support/websockets";

const MESSAGE_BYTES_MAX: i32 = 20000;

function below(limit: i32): i32 {
  return network().below(limit);
}

class Echo extends WebSocketHandler {
  opens: i32 = 0;
  closes: i32 = 0;
  onOpen(socket: WebSocketConnection): void {
    this.opens++;
  }
  onMessage(socket: WebSocketConnection, source: usize, size: i32, isText: bool): void {
    socket.sendBytes(source, size, isText);
  }
  onClose(socket: WebSocketConnection, code: i32, reason: i32, source: usize, size: i32): void {
    this.closes++;
  }
}

const echo = new Echo();
echo.messageBytesMax = MESSAGE_BYTES_MAX;

class Site extends HTTPHandler {
  headersReceived(request: HTTPServerRequest): void {
    echo.accept(request);
  }
}

const WORDS: StaticArray<string> = [
  "\xc3\xa9",
  "\xf0\x9f\x8c\x8a",
  "plain text, some more of it, and more",
  "\xe2\x82\xac",
  "x",
  "\0",
];
/** What costs a client its websocket, with the close code that it gets. */
const FAULTS: StaticArray<string> = [
  "1002\x81\x05hello",
  "1002" + masked(0xb1, "a"),
  "1002" + masked(0x83, "a"),
  "1002" + masked(0x80, "a"),
  "1002" + masked(0x09, "a"),
  "1002" + masked(0xc1, "a"),
  "1002" + masked(0x01, "a") + masked(0x81, "b"),
  "1002\x82\xfe\x00\x05abcdhello",
  "1002" + masked(0x88, "a"),
  "1002" + closing(1005),
  "1007" + masked(0x81, "\xed\xa0\x80"),
  "1007" + masked(0x01, "\xe2\x82") + masked(0x80, ""),
  "1009" + masked(0x82, "", MESSAGE_BYTES_MAX + 1),
  "1009" + masked(0x01, "a") + masked(0x80, "", MESSAGE_BYTES_MAX),
];


@final
class Client {
  readonly word: string;
  peer!: Peer;
  private script: string = handshake();
  private expected: string = ""; // what must come back behind the 101, pongs aside
  private at: i32 = 0;
  private isSlow: bool = false;
  private closes: bool = false;
  /** It behaves to its end, so all of its echoes are due. */
  private mustBeAnswered: bool = true;
  private code: string = "";

  constructor(index: i32) {
    this.word = "client" + index.toString() + "-";
    for (let i = below(12); i >= 0; i--) this.addMessage();
    this.addEnd();
    if (below(6) == 0) this.mutateScript();
    this.isSlow = below(3) == 0;
    this.peer = connect();
    if (this.isSlow) this.peer.room = below(500);
  }

  private addMessage(): void {
    const isText = below(2) == 0;
    let message = this.word;
    const many = below(5) ? below(20) : below(400);
    for (let i = 0; i < many; i++) message += WORDS[below(WORDS.length)];
    if (!isText) message += "\xff\xfe";
    let first = isText ? 1 : 2;
    this.expected += String.fromCharCode(0x80 | first) + message;
    // The message is cut into fragments, also inside of characters, with pings and pongs between.
    while (below(3) == 0) {
      const n = below(message.length + 1);
      this.script += masked(first, message.substring(0, n));
      message = message.substring(n);
      first = 0;
      if (below(2)) this.script += masked(0x89 + below(2), this.word);
    }
    this.script += masked(0x80 | first, message);
  }

  private addEnd(): void {
    const kind = below(4);
    if (kind == 0) {
      const fault = FAULTS[below(FAULTS.length)];
      this.code = fault.substring(0, 4);
      this.script += fault.substring(4) + masked(0x81, "behind the fault");
    } else if (kind < 3) {
      this.code = "1000";
      this.script += closing(1000, this.word) + masked(0x81, "behind the end");
    } else this.closes = below(2) == 0;
  }

  private mutateScript(): void {
    const from = handshake().length;
    const rest = this.script.substring(from);
    const limit = rest.length + 400;
    const block = heap.alloc(limit);
    const source = bytes(rest);
    memory.copy(block, changetype<usize>(source), rest.length);
    this.script = this.script.substring(0, from) + text(block, mutate(block, rest.length, limit));
    heap.free(block);
    this.mustBeAnswered = false;
  }

  /** Does one thing, or nothing; false when all is done. */
  step(): bool {
    const peer = this.peer;
    if (this.isSlow && peer.room < 1 << 20) peer.room += below(2) ? 0 : below(2000);
    if (this.at == this.script.length) return false;
    if (below(400) == 0) {
      this.mustBeAnswered = false;
      if (below(2)) peer.reset();
      else peer.close();
      this.at = this.script.length;
      return false;
    }
    const left = this.script.length - this.at;
    const n = below(4) ? 1 + below(min(left, below(3) ? 60 : 5000)) : min(left, 1 + below(3));
    peer.send(this.script.substr(this.at, n));
    this.at += n;
    return this.at < this.script.length;
  }

  openUp(): void {
    this.peer.room = i32.MAX_VALUE;
  }

  finish(): void {
    this.peer.end();
  }

  get isBroken(): bool {
    return this.peer.broken || !this.mustBeAnswered;
  }

  /** Holds all that came against what must. */
  check(): void {
    const all = this.peer.received;
    const head = all.indexOf("\r\n\r\n") + 4;
    assert(head >= 4 || this.isBroken, this.word + "was not accepted: " + all);
    if (head < 4) return;
    assert(all.startsWith("HTTP/1.1 101 "), this.word + all);
    let said = "";
    let code = "";
    let at = head;
    while (at < all.length) {
      const second = at + 1 < all.length ? all.charCodeAt(at + 1) : 0;
      assert(second < 127, this.word + "a length");
      let start = at + 2;
      let size = second;
      if (second == 126) {
        start += 2;
        size = start <= all.length ? (all.charCodeAt(at + 2) << 8) | all.charCodeAt(at + 3) : 0;
      }
      if (start + size > all.length) {
        assert(this.isBroken, this.word + "half a frame");
        return;
      }
      const first = all.charCodeAt(at);
      assert(!code.length, this.word + "a frame behind the close frame");
      if (first == 0x88) code = size ? ((all.charCodeAt(start) << 8) | all.charCodeAt(start + 1)).toString() : "none";
      else if (first != 0x8a) said += String.fromCharCode(first) + all.substr(start, size);
      else assert(all.substr(start, size) == this.word || !this.mustBeAnswered, this.word + "a pong");
      at = start + size;
    }
    if (this.isBroken) return;
    assert(said == this.expected, this.word + "echoes: " + said + " instead of " + this.expected);
    assert(code == this.code, this.word + "close code " + code + " instead of " + this.code);
    assert(!this.peer.wasReset || this.closes, this.word + "was reset");
  }

  /** Nothing of another client's came. */
  checkWords(others: Array<Client>): void {
    const all = this.peer.received;
    for (let i = 0; i < others.length; i++) {
      assert(others[i] === this || !all.includes(others[i].word), this.word + "has bytes of " + others[i].word);
    }
  }
}

function session(seed: i32): void {
  const net = network();
  net.seed(seed);
  seedMutations(seed);
  echo.opens = echo.closes = 0;
  const faults = net.faults;
  faults.shortReads = below(2) ? 0 : below(500);
  faults.shortWrites = below(2) ? 0 : below(500);
  faults.again = below(2) ? 0 : below(300);
  faults.spurious = below(2) ? 0 : below(300);
  faults.late = below(2) ? 0 : below(300);
  const clients: Array<Client> = [];
  const count = 1 + below(8);
  for (let i = 0; i < count; i++) clients.push(new Client(i));
  for (let busy = true, steps = 0; busy; steps++) {
    assert(steps < 100000, "hangs");
    busy = false;
    for (let i = 0; i < count; i++) if (clients[i].step()) busy = true;
    turn();
  }
  faults.clear();
  for (let i = 0; i < count; i++) clients[i].openUp();
  settle();
  sleep(10); // what was late
  for (let i = 0; i < count; i++) clients[i].check();
  for (let i = 0; i < count; i++) clients[i].checkWords(clients);
  for (let i = 0; i < count; i++) clients[i].finish();
  settle();
  sleep(LINGER_MS + WS_CLOSE_TIMEOUT_MS + WRITE_TIMEOUT_MS);
  for (let i = 0; i < count; i++) assert(clients[i].peer.closed, "not closed");
  assert(stat(CONNECTIONS_NOW) == 0 && stat(REQUESTS_NOW) == 0, "counted wrong");
  assert(echo.opens == echo.closes && echo.opens <= count, "opens and closes");
  assert(bytesInUse() == 0, "memory");
}

/** The seeds of one test; a failure names its seed. */
function sessions(from: i32, to: i32): void {
  new HTTPServer(new Site()).listen();
  for (let seed = from; seed < to; seed++) session(seed);
}

test("sessions 1 to 150", TestOptions.timeout(60000), () => sessions(1, 151));
test("sessions 151 to 300", TestOptions.timeout(60000), () => sessions(151, 301));
