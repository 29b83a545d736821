// A client of the fuzz test: a script of pipelined requests, sent in pieces with faults between, and what it must get
// back.
import { Peer, connect, network } from "../../../assembly/wasi/sim/net";
import { BROKEN, EARLY, HASH_SEED, ORDINARY_MODES, PIECES, SWITCHING, UPGRADED, hash } from "./fuzzhandler";
import { mutate } from "../protocol/http/support/random";
import { bytes, pattern, text } from "./sim";

function below(limit: i32): i32 {
  return network().below(limit);
}

/** One request as it was meant. */
class Meant {
  method: string = "GET";
  /** What its answer's body begins with, and how long the body is; "" for one that breaks the connection. */
  start: string = "";
  size: i32 = 0;
  /** The connection ends behind its answer. */
  closes: bool = false;
  /** It may be answered with 100 Continue first. */
  expects: bool = false;
  /** An answer that comes before the client's 100 Continue is the last. */
  mayClose: bool = false;
  /** What is behind it comes back as it is. */
  upgrades: bool = false;
  /** Where its last byte is in the script. */
  end: i32 = 0;
}

const LETTERS: string = "abcdefghijklmnopqrstuvwxyz";
const METHODS: StaticArray<string> = ["GET", "HEAD", "POST", "PUT", "DELETE", "POST", "PATCHY"];

export class Client {
  readonly word: string;
  peer!: Peer;
  /** All answers that a correct server gives must come. */
  mustBeAnswered: bool = true;
  private script: string = "";
  private at: i32 = 0;
  private meant: Array<Meant> = [];
  /** Bytes of the script that are as they were meant. */
  private intact: i32 = 0;
  private ends: bool = false;
  private isSlow: bool = false;
  /** Where it waits for the server to go on, and how many steps it still waits at the first of them. */
  private stops: Array<i32> = [];
  private patience: i32 = 0;
  private trickles: bool = false;

  /** `listener`: where it connects; `requestsMax`: the server's limit. */
  constructor(
    listener: i32,
    private requestsMax: i32,
  ) {
    let word = "";
    for (let i = 0; i < 12; i++) word += LETTERS.charAt(below(26));
    this.word = word;
    const count = 1 + below(6);
    for (let i = 0; i < count; i++) this.addRequest(i);
    this.intact = this.script.length;
    if (below(3) == 0) this.mutateScript();
    this.ends = below(2) == 0;
    this.isSlow = below(3) == 0;
    this.peer = connect(listener);
    if (this.isSlow) this.peer.room = below(2000);
  }

  // --- the script ---

  private addRequest(index: i32): void {
    const meant = new Meant();
    const mode = below(20) ? below(ORDINARY_MODES) : below(2) ? BROKEN : UPGRADED;
    const size = below(4) ? below(200) : below(30000);
    const start = "/" + this.word + "/" + index.toString();
    const target = start + "/" + mode.toString() + "/" + size.toString() + "/" + below(20).toString();
    meant.method = mode == UPGRADED ? "GET" : METHODS[below(METHODS.length)];
    meant.upgrades = mode == UPGRADED;
    const body = meant.method.startsWith("P") ? pattern(below(5) ? below(300) : below(20000)) : "";
    const old = below(12) == 0;
    meant.closes = old || below(12) == 0;
    this.script += meant.method + " " + target + (old ? " HTTP/1.0\r\n" : " HTTP/1.1\r\nHost: " + this.word + "\r\n");
    if (meant.closes && !old) this.script += "Connection: close\r\n";
    if (meant.upgrades || index + 1 >= this.requestsMax) meant.closes = true;
    if (below(5) == 0) this.script += "X-Field: " + "y".repeat(below(3000)) + "\r\n";
    if (body.length && below(6) == 0) {
      this.script += "Expect: 100-continue\r\n";
      meant.expects = !old;
      meant.mayClose = !old && mode == EARLY;
    }
    const hashed = body + this.addBody(meant, body, old);
    const source = bytes(hashed);
    const sum = hash(HASH_SEED, changetype<usize>(source), hashed.length);
    meant.start = start + "|" + (mode == EARLY ? "-" : body.length.toString() + "|" + sum.toString()) + "|";
    meant.size = meant.start.length + size;
    if (mode == BROKEN) {
      meant.start = "";
      // It costs the connection; only the answers before it arrive.
      if (!index) this.mustBeAnswered = false;
    }
    meant.end = this.script.length;
    this.meant.push(meant);
  }

  /** A body, or none; returns what else the handler gets: its trailers. */
  private addBody(meant: Meant, body: string, old: bool): string {
    if (old || meant.upgrades || below(2)) {
      if (body.length) this.script += "Content-Length: " + body.length.toString() + "\r\n";
      this.script += "\r\n";
      if (meant.expects) this.stops.push(this.script.length);
      this.script += body;
      return "";
    }
    if (!body.length && below(2)) {
      this.script += "\r\n";
      return "";
    }
    this.script += "Transfer-Encoding: chunked\r\n\r\n";
    if (meant.expects) this.stops.push(this.script.length);
    for (let at = 0; at < body.length;) {
      const n = 1 + below(min(body.length - at, below(3) ? 500 : 20000));
      this.script += n.toString(16) + (below(9) ? "\r\n" : ";extension=x\r\n") + body.substr(at, n) + "\r\n";
      at += n;
    }
    this.script += "0\r\n";
    let trailers = "";
    for (let i = below(4) ? 0 : below(4); i > 0; i--) {
      const isSafe = below(3) > 0;
      this.script += (isSafe ? "X-" + this.word : "Content-Length") + ":" + i.toString() + " \r\n";
      if (isSafe) trailers += "X-" + this.word + i.toString();
    }
    this.script += "\r\n";
    return trailers;
  }

  private mutateScript(): void {
    const from = below(this.script.length);
    const rest = this.script.substr(from);
    const limit = rest.length + 400;
    const block = heap.alloc(limit);
    const source = bytes(rest);
    memory.copy(block, changetype<usize>(source), rest.length);
    const size = mutate(block, rest.length, limit);
    const changed = text(block, size);
    heap.free(block);
    let same = 0;
    while (same < rest.length && same < size && rest.charCodeAt(same) == changed.charCodeAt(same)) same++;
    this.script = this.script.substr(0, from) + changed;
    this.intact = from + same;
    this.mustBeAnswered = false;
  }

  // --- sending ---

  /** Does one thing, or nothing; false when all is done. */
  step(mayReset: bool): bool {
    const peer = this.peer;
    if (this.isSlow && peer.room < 1 << 20) peer.room += below(2) ? 0 : below(3000);
    if (this.at == this.script.length) return false;
    if (mayReset && below(60) == 0) {
      this.mustBeAnswered = false;
      if (below(2)) peer.reset();
      else peer.close();
      this.at = this.script.length;
      return false;
    }
    if (this.mustWait()) return true;
    if (this.at == this.script.length) return false;
    const left = (this.stops.length ? this.stops[0] : this.script.length) - this.at;
    const most = below(3) ? 200 : 70000;
    const n = below(4) ? 1 + below(min(left, most)) : min(left, 1 + below(3));
    peer.send(this.script.substr(this.at, n));
    this.at += n;
    if (this.at < this.script.length) return true;
    if (this.ends) peer.end();
    return false;
  }

  /**
   * A client that expects 100 Continue waits for it, or for an answer, or for some time; one whose connection ends
   * gives up.
   */
  private mustWait(): bool {
    while (this.stops.length && this.at >= this.stops[0]) {
      if (this.patience == 0) this.patience = 1 + below(60);
      if (!this.peer.ended && !this.peer.received.endsWith("Continue\r\n\r\n") && --this.patience > 0) return true;
      this.patience = 0;
      if (this.peer.ended) this.at = this.script.length;
      this.stops.shift();
    }
    return false;
  }

  /** A byte more of what it sends, and of what it takes. */
  trickle(): void {
    this.trickles = true;
    if (this.peer.room < 1 << 20) this.peer.room++;
    if (this.at < this.script.length) this.peer.send(this.script.charAt(this.at++));
  }

  /** From now on it takes whatever comes. */
  openUp(): void {
    this.peer.room = i32.MAX_VALUE;
  }

  // --- what came back ---

  /** For a failure's message. */
  get story(): string {
    return this.script.substr(0, this.at) + "\n--- is answered ---\n" + this.peer.received;
  }

  /** All that must be answered has been. */
  get isServed(): bool {
    return !this.mustBeAnswered || this.peer.broken || this.check() == this.expected();
  }

  /** The connection was closed in a way that may cost a real client its last answer. */
  get lost(): bool {
    return this.mustBeAnswered && this.peer.wasReset && !this.peer.broken;
  }

  /** Answers that a correct server gives to this script. */
  private expected(): i32 {
    for (let i = 0; i < this.meant.length; i++) {
      if (!this.meant[i].start.length) return i;
      if (this.meant[i].closes) return i + 1;
    }
    return this.meant.length;
  }

  /**
   * Holds every answer against its request, as long as the script is as it was meant; returns how many whole ones there
   * are. Behind that only whose words they hold can be told.
   */
  check(): i32 {
    const all = this.peer.received;
    let at = 0;
    for (let i = 0; i < this.meant.length; i++) {
      const meant = this.meant[i];
      if (meant.end > this.intact) return i;
      if (meant.expects && all.substr(at, 25) == "HTTP/1.1 100 Continue\r\n\r\n") at += 25;
      if (at == all.length || !meant.start.length) return i;
      const next = this.answer(all, at, meant, i);
      if (next < 0) return i;
      if (meant.closes) {
        assert(next == all.length, "bytes behind the last answer: " + this.word);
        return i + 1;
      }
      at = next;
    }
    assert(at == all.length || this.intact < this.script.length, "bytes behind all answers: " + this.word);
    return this.meant.length;
  }

  /** Where the answer at `at` ends, -1: it is not whole. */
  private answer(all: string, at: i32, meant: Meant, index: i32): i32 {
    const end = all.indexOf("\r\n\r\n", at);
    if (end < 0) return -1;
    const head = all.substring(at, end + 2);
    const who = this.word + " request " + index.toString() + ": ";
    if (this.trickles && head.startsWith("HTTP/1.1 408 ")) return -1; // rightly
    if (meant.upgrades) return this.echo(all, at, meant, who);
    assert(head.startsWith("HTTP/1.1 200 OK\r\n"), who + head);
    assert(head.includes("Connection: close\r\n") || !meant.closes, who + "should close: " + head);
    if (meant.mayClose && head.includes("Connection: close\r\n")) meant.closes = true;
    const start = end + 4;
    if (meant.method == "HEAD") return start;
    let body: string;
    let next: i32;
    if (head.includes("Transfer-Encoding: chunked\r\n")) {
      body = "";
      next = start;
      for (let i = 0; i <= PIECES; i++) {
        const line = all.indexOf("\r\n", next);
        if (line < 0) return -1;
        const size = i32(parseInt(all.substring(next, line), 16));
        next = line + 2 + size + 2;
        if (next > all.length) return -1;
        if (!size) break;
        body += all.substr(line + 2, size);
      }
    } else {
      const length = head.indexOf("Content-Length: ");
      const size =
        length < 0 ? all.length - start : i32(parseInt(head.substring(length + 16, head.indexOf("\r\n", length))));
      next = start + size;
      if (next > all.length || (length < 0 && (!this.peer.ended || this.peer.broken))) return -1;
      body = all.substr(start, size);
      if (this.trickles && length < 0 && size < meant.size) return -1; // cut: HTTP/1.0 cannot tell
    }
    assert(
      body.startsWith(meant.start) && body.length == meant.size,
      who + body.substr(0, 100) + " for " + meant.start,
    );
    return next;
  }

  /** Where the echo of all that stands behind a request ends, -1: it is not whole. */
  private echo(all: string, at: i32, meant: Meant, who: string): i32 {
    const start = at + SWITCHING.length;
    assert(all.substring(at, start) == SWITCHING, who + all.substr(at, 100));
    const rest = this.script.substr(meant.end);
    assert(rest.startsWith(all.substr(start)), who + "not its own bytes");
    return all.length == start + rest.length ? all.length : -1;
  }

  /** Nothing of another client's is among what came. */
  checkWords(others: Array<Client>): void {
    const all = this.peer.received;
    for (let i = 0; i < others.length; i++) {
      assert(others[i] === this || !all.includes(others[i].word), "bytes of another connection");
    }
  }
}
