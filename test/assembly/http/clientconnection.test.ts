// Requests to another server over the scripted network: what is sent, and its answers in however many pieces they come.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { ConnectHandler, TCPClient } from "../../../assembly/client/tcpclient";
import { REASON_BAD_RESPONSE, REASON_END, REASON_RESET, REASON_TIMEOUT } from "../../../assembly/core/errors";
import {
  CLIENT_IDLE_TIMEOUT_MS,
  CLIENT_INFORMATION_MAX,
  HEAD_BYTES_MAX,
  RESPONSE_TIMEOUT_MS,
} from "../../../assembly/core/limits";
import { ClientConnectionOwner, HTTP1ClientConnection, ResponseHandler } from "../../../assembly/http/clientconnection";
import { OutgoingHead } from "../../../assembly/http/outgoinghead";
import { IOStream } from "../../../assembly/stream/iostream";
import { Peer, network } from "../../../assembly/wasi/sim/net";
import { dialled } from "../../../assembly/wasi/sim/outgoing";
import { NewProtocol } from "../support/http";
import { bytes, settle, sleep, text } from "../support/sim";

/** Notes what it is told: `200(5) data(ab) data(cde) done idle`. */
class Notes extends ConnectHandler implements ResponseHandler, ClientConnectionOwner {
  log: string = "";
  appetite: i32 = i32.MAX_VALUE;
  stream: IOStream | null = null;

  private note(what: string): void {
    this.log += (this.log.length ? " " : "") + what;
  }
  onConnect(stream: IOStream): void {
    this.stream = stream;
  }
  onConnectFailed(reason: i32): void {}
  /** Gets the stream of a 101. */
  successor: NewProtocol | null = null;
  informationReceived(connection: HTTP1ClientConnection): void {
    this.note(connection.status.toString());
    const successor = this.successor;
    if (!successor) return;
    const stream = connection.detach(successor);
    if (!stream) return this.note("not now");
    successor.stream = stream;
    stream.consume();
  }
  headersReceived(connection: HTTP1ClientConnection): void {
    this.note(connection.status.toString() + "(" + connection.contentLength.toString() + ")");
  }
  dataReceived(connection: HTTP1ClientConnection, source: usize, size: i32): i32 {
    const taken = min(size, this.appetite);
    if (taken) this.data += text(source, taken);
    this.appetite -= taken;
    return taken;
  }
  data: string = "";
  responseComplete(connection: HTTP1ClientConnection): void {
    this.note("done");
  }
  requestSent(connection: HTTP1ClientConnection): void {
    this.note("sent");
  }
  connectionLost(connection: HTTP1ClientConnection, reason: i32): void {
    this.note("lost(" + reason.toString() + ")");
  }
  connectionIdle(connection: HTTP1ClientConnection): void {
    this.note("idle");
  }
  connectionClosed(connection: HTTP1ClientConnection): void {
    this.note("closed");
  }

  take(): string {
    const log = this.log + (this.data.length ? " data(" + this.data + ")" : "");
    this.log = this.data = "";
    return log;
  }
}

const notes = new Notes();
const connection = new HTTP1ClientConnection(notes);
const head = new OutgoingHead();
let peer: Peer = new Peer();

/** A new connection, whose other end is `peer`. */
function connect(): void {
  new TCPClient().connect("192.0.2.1", 80, notes);
  settle();
  peer = dialled[dialled.length - 1];
  peer.accept();
  settle();
  connection.start(notes.stream!);
}

function begin(method: string, target: string): void {
  const a = bytes(method);
  const b = bytes(target);
  head.begin(changetype<usize>(a), a.length, changetype<usize>(b), b.length);
}

function add(name: string, value: string): bool {
  const a = bytes(name);
  const b = bytes(value);
  return head.addField(changetype<usize>(a), a.length, changetype<usize>(b), b.length);
}

/** Sends a request without a body. */
function request(method: string = "GET"): void {
  begin(method, "/");
  expect(head.end(0, false)).toBe(true);
  connection.startRequest(head, notes);
  connection.finishRequest();
  settle();
}

function write(data: string): bool {
  const source = bytes(data);
  return connection.writeBody(changetype<usize>(source), source.length);
}

/** The peer sends that; what is noted of it. */
function sent(answer: string): string {
  peer.send(answer);
  settle();
  return notes.take();
}

function closedBy(reason: i32): string {
  return "lost(" + reason.toString() + ") closed";
}

test("a request is a line, fields and what frames it", () => {
  connect();
  begin("POST", "/a?b");
  expect(add("X-A", "b c")).toBe(true);
  expect(head.end(-1, false)).toBe(true);
  connection.startRequest(head, notes);
  expect(write("hello")).toBe(true);
  expect(write("")).toBe(true);
  connection.finishRequest();
  expect(write("more")).toBe(false);
  settle();
  expect(peer.take()).toBe(
    "POST /a?b HTTP/1.1\r\nX-A: b c\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  );
  expect(peer.writes).toBe(1); // in one piece
});

test("fields that frame the message, or would break it, are not taken", () => {
  begin("GET", "/");
  const names: Array<string> = ["Content-Length", "transfer-encoding", "Connection", "A B", "", "A:"];
  for (let i = 0; i < names.length; i++) expect(add(names[i], "1")).toBe(false);
  expect(add("A", "1\r\nB: 2")).toBe(false);
  expect(add("A", "1\0")).toBe(false);
  expect(head.end(0, true)).toBe(true);
  expect(text(head.source, head.size)).toBe("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
});

test("a method or target that would break it makes no head", () => {
  const targets: Array<string> = ["/a b", "/\r\nX: y", "/\x7f"];
  for (let i = 0; i < targets.length; i++) {
    begin("GET", targets[i]);
    expect(head.end(0, false)).toBe(false);
  }
  begin("GE T", "/");
  expect(head.end(0, false)).toBe(false);
  begin("", "/");
  expect(head.end(0, false)).toBe(false);
  begin("GET", "");
  expect(head.end(0, false)).toBe(true);
  expect(text(head.source, head.size)).toBe("GET / HTTP/1.1\r\n\r\n");
  begin("GET", "?a");
  expect(head.end(0, false)).toBe(true);
  expect(text(head.source, head.size)).toBe("GET /?a HTTP/1.1\r\n\r\n");
});

test("a body is as long as its head says, or the connection is closed", () => {
  connect();
  begin("PUT", "/");
  head.end(3, true);
  connection.startRequest(head, notes);
  expect(write("ab")).toBe(true);
  expect(write("cd")).toBe(false);
  settle();
  expect(notes.take()).toBe(closedBy(REASON_BAD_RESPONSE));
  connect();
  connection.startRequest(head, notes);
  write("ab");
  connection.finishRequest();
  settle();
  expect(notes.take()).toBe(closedBy(REASON_BAD_RESPONSE));
});

test("answers are the same wherever their bytes are cut, and the connection is used again", () => {
  const answers: Array<string> = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\nA: b\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  ];
  connect();
  for (let i = 0; i < answers.length; i++) {
    const before = (i == 2 ? "103 " : "") + (i == 1 ? "200(-1)" : "200(5)");
    for (let cut = 0; cut <= answers[i].length; cut++) {
      request();
      peer.send(answers[i].substring(0, cut));
      settle();
      peer.send(answers[i].substring(cut));
      settle();
      expect(notes.take()).toBe(before + " done idle data(hello)");
    }
    request();
    for (let at = 0; at < answers[i].length; at++) {
      peer.send(answers[i].charAt(at));
      settle();
    }
    expect(notes.take()).toBe(before + " done idle data(hello)");
  }
  expect(dialled.length).toBe(1);
});

function requestUpgrade(): void {
  begin("GET", "/");
  expect(add("Upgrade", "websocket")).toBe(true);
  head.end(0, false);
  connection.startRequest(head, notes);
  connection.finishRequest();
  settle();
}

test("an upgrade hands the stream over, wherever the bytes are cut, and the object serves another connection", () => {
  const answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello";
  for (let cut = 0; cut <= answer.length; cut++) {
    connect();
    requestUpgrade();
    expect(peer.take()).toBe("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    const successor = (notes.successor = new NewProtocol());
    peer.send(answer.substring(0, cut));
    settle();
    peer.send(answer.substring(cut));
    settle();
    expect(notes.take()).toBe("101 closed");
    expect(successor.take().replace(") bytes(", "")).toBe("bytes(hello)");
    connect(); // with the same object
    request();
    notes.successor = null;
    expect(sent("HTTP/1.1 204 No Content\r\n\r\n")).toBe("204(-1) done idle");
    successor.stream.close();
    settle();
    expect(successor.take()).toBe("close(1)");
  }
});

test("a 101 whose stream is not detached is refused; only a 101 hands the stream over", () => {
  connect();
  requestUpgrade();
  expect(sent("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")).toBe(
    "101 " + closedBy(REASON_BAD_RESPONSE),
  );
  connect();
  requestUpgrade();
  notes.successor = new NewProtocol();
  expect(sent("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")).toBe("103 not now 204(-1) done idle");
  notes.successor = null;
});

test("informational answers do not lengthen the time for the final one", () => {
  connect();
  request();
  sleep(RESPONSE_TIMEOUT_MS - 1);
  expect(sent("HTTP/1.1 103 Early Hints\r\n\r\n")).toBe("103");
  sleep(1);
  expect(notes.take()).toBe(closedBy(REASON_TIMEOUT));
});

test("so many informational answers may come, and no more, also while the request is not complete", () => {
  const hints = "HTTP/1.1 103 Early Hints\r\n\r\n";
  const each = "103 ".repeat(CLIENT_INFORMATION_MAX).trimEnd();
  connect();
  for (let i = 0; i < 2; i++) {
    request();
    expect(sent(hints.repeat(CLIENT_INFORMATION_MAX))).toBe(each);
    expect(sent("HTTP/1.1 204 No Content\r\n\r\n")).toBe("204(-1) done idle");
  }
  begin("POST", "/");
  expect(head.end(5, false)).toBe(true);
  connection.startRequest(head, notes);
  expect(sent(hints.repeat(CLIENT_INFORMATION_MAX))).toBe(each);
  expect(sent(hints)).toBe(closedBy(REASON_BAD_RESPONSE));
});

test("answers without a body", () => {
  connect();
  request("HEAD");
  expect(sent("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")).toBe("200(5) done idle");
  request();
  expect(sent("HTTP/1.1 304 Not Modified\r\n\r\n")).toBe("304(-1) done idle");
  request();
  expect(sent("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")).toBe("204(-1) done closed");
});

test("a body may end with its connection", () => {
  connect();
  request();
  expect(sent("HTTP/1.0 200 OK\r\n\r\nhel")).toBe("200(-1) data(hel)");
  peer.send("lo");
  peer.end();
  settle();
  expect(notes.take()).toBe("done closed data(lo)");
});

test("what the handler does not take waits, also before the end", () => {
  connect();
  request();
  notes.appetite = 2;
  peer.send("HTTP/1.0 200 OK\r\n\r\nhello");
  peer.end();
  settle();
  expect(notes.take()).toBe("200(-1) data(he)");
  notes.appetite = 100;
  connection.resume();
  settle();
  expect(notes.take()).toBe("done closed data(llo)");
});

test("a handler that takes nothing for long is not the other server's silence", () => {
  connect();
  request();
  notes.appetite = 0;
  sent("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  sleep(RESPONSE_TIMEOUT_MS * 2);
  expect(notes.take()).toBe("");
  notes.appetite = 5;
  connection.resume();
  settle();
  expect(notes.take()).toBe("done idle data(hello)");
});

test("bytes behind an answer close the connection, whenever they come", () => {
  connect();
  request();
  expect(sent("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")).toBe("200(0) done closed");
  connect();
  request();
  expect(sent("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).toBe("200(0) done idle");
  expect(sent("H")).toBe("closed");
  connect();
  expect(sent("HTTP/1.1 200 OK\r\n\r\n")).toBe("closed");
});

test("an answer before the request is complete is the connection's last", () => {
  connect();
  begin("POST", "/");
  head.end(5, true);
  connection.startRequest(head, notes);
  write("he");
  settle();
  expect(sent("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")).toBe("413(0) done closed");
});

test("ends and resets in every place are losses, but not between requests", () => {
  const answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  for (let cut = 0; cut < answer.length; cut++) {
    for (let kind = 0; kind < 2; kind++) {
      connect();
      request();
      sent(answer.substring(0, cut));
      notes.take();
      if (kind) peer.reset();
      else peer.end();
      settle();
      expect(notes.take()).toBe(closedBy(kind ? REASON_RESET : REASON_END));
      expect(peer.closed).toBe(true);
    }
  }
  connect();
  peer.end();
  settle();
  expect(notes.take()).toBe("closed");
});

test("what cannot be an answer is a loss", () => {
  const answers: Array<string> = [
    "HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
  ];
  for (let i = 0; i < answers.length; i++) {
    connect();
    request();
    expect(sent(answers[i])).toBe(closedBy(REASON_BAD_RESPONSE));
  }
  connect();
  request();
  expect(sent("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")).toBe(
    "200(-1) " + closedBy(REASON_BAD_RESPONSE),
  );
});

test("a head may be so large and no larger", () => {
  const before = "HTTP/1.1 204 OK\r\nA: ";
  const behind = "\r\n\r\n";
  const room = HEAD_BYTES_MAX - before.length - behind.length;
  connect();
  request();
  expect(sent(before + "x".repeat(room) + behind)).toBe("204(-1) done idle");
  request();
  expect(sent(before + "x".repeat(room + 1) + behind)).toBe(closedBy(REASON_BAD_RESPONSE));
});

test("a server that is silent is given up, and so is a connection that no request needs", () => {
  connect();
  request();
  sleep(RESPONSE_TIMEOUT_MS - 1);
  expect(notes.take()).toBe("");
  sleep(1);
  expect(notes.take()).toBe(closedBy(REASON_TIMEOUT));
  connect();
  request();
  sleep(RESPONSE_TIMEOUT_MS - 1);
  sent("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  sleep(RESPONSE_TIMEOUT_MS - 1);
  sent("o");
  sleep(RESPONSE_TIMEOUT_MS);
  expect(notes.take()).toBe(closedBy(REASON_TIMEOUT));
  connect();
  sleep(CLIENT_IDLE_TIMEOUT_MS - 1);
  expect(notes.take()).toBe("");
  sleep(1);
  expect(notes.take()).toBe("closed");
});

test("while the request is being sent the server's silence is in order", () => {
  connect();
  begin("POST", "/");
  head.end(2, true);
  connection.startRequest(head, notes);
  write("a");
  sleep(RESPONSE_TIMEOUT_MS * 2);
  expect(notes.take()).toBe("");
  write("b");
  connection.finishRequest();
  sleep(RESPONSE_TIMEOUT_MS);
  expect(notes.take()).toBe(closedBy(REASON_TIMEOUT));
});

test("a request that is given up closes its connection, and its handler is not called", () => {
  connect();
  request();
  connection.abort();
  expect(sent("HTTP/1.1 200 OK\r\n\r\n")).toBe("closed");
  expect(peer.closed).toBe(true);
});

test("with every fault of the network an answer is whole, or lost", () => {
  for (let seed: u64 = 1; seed <= 100; seed++) {
    const net = network();
    const faults = net.faults;
    faults.resets = faults.shortReads = faults.shortWrites = faults.again = faults.late = faults.spurious = 0;
    connect();
    net.seed(seed);
    faults.shortReads = faults.shortWrites = faults.again = faults.late = faults.spurious = 300;
    if (seed & 1) faults.resets = 20;
    request();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n there\r\n0\r\n\r\n");
    sleep(1000);
    const log = notes.take().replaceAll("sent ", "");
    if (log.includes("lost(")) expect(log.includes("done")).toBe(false);
    else expect(log.replace(" closed", "")).toBe("200(-1) done idle data(hello there)"); // it may be reset then
    faults.resets = 0;
    connection.close();
    sleep(100);
    notes.take();
  }
});
