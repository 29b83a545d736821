// A client of the fuzz test: a script of pipelined requests, sent in pieces with faults between, and what it must get back.
import { Peer, connect, network } from "../../assembly/wasi/simnet";
import { BROKEN, EARLY, HASH_SEED, MODES, PIECES, hash } from "./fuzzhandler";
import { mutate } from "./http/random";
import { bytes, pattern, text } from "./support";

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

  /** `listener`: where it connects. */
  constructor(listener: i32) {
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
    const mode = below(30) ? below(MODES - 1) : BROKEN;
    const size = below(4) ? below(200) : below(30000);
    const start = "/" + this.word + "/" + index.toString();
    const target = start + "/" + mode.toString() + "/" + size.toString() + "/" + below(20).toString();
    meant.method = METHODS[below(METHODS.length)];
    const body = meant.method.startsWith("P") ? pattern(below(5) ? below(300) : below(20000)) : "";
    const old = below(12) == 0;
    meant.closes = old || below(12) == 0;
    const source = bytes(body);
    const sum = hash(HASH_SEED, changetype<usize>(source), body.length);
    meant.start = start + "|" + (mode == EARLY ? "-" : body.length.toString() + "|" + sum.toString()) + "|";
    meant.size = meant.start.length + size;
    if (mode == BROKEN) {
      // It costs the connection at once, and with it what a slow network had not taken.
      meant.start = "";
      this.mustBeAnswered = false;
    }
    this.script += meant.method + " " + target + (old ? " HTTP/1.0\r\n" : " HTTP/1.1\r\nHost: " + this.word + "\r\n");
    if (meant.closes && !old) this.script += "Connection: close\r\n";
    if (below(5) == 0) this.script += "X-Field: " + "y".repeat(below(3000)) + "\r\n";
    this.addBody(body, old);
    meant.end = this.script.length;
    this.meant.push(meant);
  }

  private addBody(body: string, old: bool): void {
    if (body.length && below(6) == 0) this.script += "Expect: 100-continue\r\n";
    if (old || below(2)) {
      if (body.length) this.script += "Content-Length: " + body.length.toString() + "\r\n";
      this.script += "\r\n" + body;
      return;
    }
    if (!body.length && below(2)) {
      this.script += "\r\n";
      return;
    }
    this.script += "Transfer-Encoding: chunked\r\n\r\n";
    for (let at = 0; at < body.length;) {
      const n = 1 + below(min(body.length - at, below(3) ? 500 : 20000));
      this.script += n.toString(16) + (below(9) ? "\r\n" : ";extension=x\r\n") + body.substr(at, n) + "\r\n";
      at += n;
    }
    this.script += below(6) ? "0\r\n\r\n" : "0\r\nTrailer: x\r\n\r\n";
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
    const left = this.script.length - this.at;
    const most = below(3) ? 200 : 70000;
    const n = below(4) ? 1 + below(min(left, most)) : min(left, 1 + below(3));
    peer.send(this.script.substr(this.at, n));
    this.at += n;
    if (this.at < this.script.length) return true;
    if (this.ends) peer.end();
    return false;
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
   * Holds every answer against its request, as long as the script is as it was meant; returns how many whole ones there are.
   * Behind that only whose words they hold can be told.
   */
  check(): i32 {
    const all = this.peer.received;
    let at = 0;
    for (let i = 0; i < this.meant.length; i++) {
      const meant = this.meant[i];
      if (meant.end > this.intact) return i;
      while (all.substr(at, 25) == "HTTP/1.1 100 Continue\r\n\r\n") at += 25;
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
    assert(head.startsWith("HTTP/1.1 200 OK\r\n"), who + head);
    assert(head.includes("Connection: close\r\n") || !meant.closes, who + "should close: " + head);
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
    }
    assert(
      body.startsWith(meant.start) && body.length == meant.size,
      who + body.substr(0, 100) + " for " + meant.start,
    );
    return next;
  }

  /** Nothing of another client's is among what came. */
  checkWords(others: Array<Client>): void {
    const all = this.peer.received;
    for (let i = 0; i < others.length; i++) {
      assert(others[i] === this || !all.includes(others[i].word), "bytes of another connection");
    }
  }
}
