// WebSocketHandler, what AssemblyScript applications subclass: who may connect, whole messages, peers that do not read.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { HTTPServer } from "../../../assembly/http/server";
import { HTTPHandler, HTTPServerRequest } from "../../../assembly/http/request";
import { READ_CHUNK_BYTES } from "../../../assembly/core/limits";
import { Peer, connect } from "../../../assembly/wasi/sim/net";
import { WebSocketConnection } from "../../../assembly/websocket/connection";
import { WebSocketHandler } from "../../../assembly/websocket/handler";
import { received } from "../support/http";
import { pattern, settle, text } from "../support/sim";
import { ACCEPTED, closing, frames, handshake, masked } from "../support/websockets";

class Echo extends WebSocketHandler {
  log: string = "";
  protocol: string = "";
  messages: i32 = 0;

  onOpen(socket: WebSocketConnection): void {
    this.log += "open ";
  }
  onMessage(socket: WebSocketConnection, source: usize, size: i32, isText: bool): void {
    this.messages++;
    if (size == 4 && text(source, 4) == "quit") socket.close(4000, "as you wish");
    else if (size == 4 && text(source, 4) == "text") socket.sendText("\u00fc\ud83c\udf0a\ud800");
    else if (size == 4 && text(source, 4) == "ping") socket.ping(source, size);
    else socket.sendBytes(source, size, isText);
  }
  onPong(socket: WebSocketConnection, source: usize, size: i32): void {
    this.log += "pong(" + text(source, size) + ") ";
  }
  onClose(socket: WebSocketConnection, code: i32, reason: i32, source: usize, size: i32): void {
    this.log += "close(" + code.toString() + "," + reason.toString() + "," + text(source, size) + ") ";
  }
  selectSubprotocol(request: HTTPServerRequest): string {
    return this.protocol;
  }
}

const echo = new Echo();

class Site extends HTTPHandler {
  headersReceived(request: HTTPServerRequest): void {
    if (request.pathIs("/ws")) echo.accept(request);
    else request.respond(404, "text/plain", "Not Found");
  }
}

const server = new HTTPServer(new Site());
let listening: bool = false;

function visitor(): Peer {
  if (!listening) server.listen();
  listening = true;
  return connect();
}

/** The answer to a handshake with these changes. */
function answerTo(request: string): string {
  const peer = visitor();
  peer.send(request);
  settle();
  return received(peer);
}

function client(): Peer {
  const peer = visitor();
  peer.send(handshake("/ws"));
  settle();
  expect(received(peer)).toBe(ACCEPTED + "\r\n");
  return peer;
}

function exchange(peer: Peer, data: string): string {
  peer.send(data);
  settle();
  return frames(peer);
}

function withOrigin(origin: string, host: string = "example.com:8888"): string {
  return handshake("/ws", "Origin: " + origin + "\r\n").replace("Host: x", "Host: " + host);
}

describe("who may connect", () => {
  test("a page of the same host, or what is no browser", () => {
    expect(answerTo(handshake("/ws"))).toContain("HTTP/1.1 101 ");
    expect(answerTo(withOrigin("http://example.com:8888"))).toContain("HTTP/1.1 101 ");
    expect(answerTo(withOrigin("https://EXAMPLE.com:8888"))).toContain("HTTP/1.1 101 ");
    expect(answerTo(withOrigin("http://[::1]:80", "[::1]:80"))).toContain("HTTP/1.1 101 ");
  });

  test("as a browser says it by Sec-Fetch-Site", () => {
    const site = "Sec-Fetch-Site: ";
    const foreign = withOrigin("http://public.example");
    expect(answerTo(foreign.replace("Origin", site + "same-origin\r\nOrigin"))).toContain("HTTP/1.1 101 ");
    expect(answerTo(foreign.replace("Origin", site + "cross-site\r\nOrigin"))).toContain("HTTP/1.1 403 ");
    const own = withOrigin("http://example.com:8888");
    expect(answerTo(own.replace("Origin", site + "same-site\r\nOrigin"))).toContain("HTTP/1.1 403 ");
    expect(answerTo(handshake("/ws", site + "cross-site\r\n"))).toContain("HTTP/1.1 101 ");
  });

  test("no page of another", () => {
    const others: StaticArray<string> = [
      "http://example.com",
      "http://example.com:8889",
      "http://evil.com:8888",
      "http://evil-example.com:8888",
      "http://example.com:8888.evil.com",
      "http://example.com:8888/",
      "http:/example.com:88888",
      "example.com:8888",
      "null",
      "",
    ];
    for (let i = 0; i < others.length; i++) {
      expect(answerTo(withOrigin(others[i]))).toContain("HTTP/1.1 403 Forbidden\r\n");
    }
    const twice = "Origin: http://x\r\nOrigin: http://x\r\n";
    expect(answerTo(handshake("/ws", twice))).toContain("HTTP/1.1 403 ");
    expect(echo.log).toBe("");
  });

  test("with version 13 only: 426", () => {
    const answer = answerTo(handshake("/ws").replace("Version: 13", "Version: 8"));
    expect(answer).toContain("HTTP/1.1 426 Upgrade Required\r\n");
    expect(answer).toContain("\r\nSec-WebSocket-Version: 13\r\n");
    expect(answerTo(handshake("/ws").replace("Sec-WebSocket-Version: 13\r\n", ""))).toContain("HTTP/1.1 426 ");
  });

  test("with a handshake: 400", () => {
    expect(answerTo("GET /ws HTTP/1.1\r\nHost: x\r\n\r\n")).toContain("HTTP/1.1 400 ");
    expect(answerTo(handshake("/ws").replace("GET", "POST"))).toContain("HTTP/1.1 400 ");
    expect(answerTo(handshake("/ws").replace("Connection: Upgrade\r\n", ""))).toContain("HTTP/1.1 400 ");
    expect(answerTo(handshake("/ws").replace("Upgrade: websocket\r\n", ""))).toContain("HTTP/1.1 400 ");
    expect(answerTo(handshake("/ws").replace("ZQ==\r\n", "ZQ=\r\n"))).toContain("HTTP/1.1 400 ");
    const peer = visitor();
    peer.send("GET /ws HTTP/1.1\r\nHost: x\r\n\r\n" + handshake("/ws"));
    settle();
    expect(received(peer)).toContain(ACCEPTED);
  });

  test("and learns of the subprotocol", () => {
    echo.protocol = "chat";
    expect(answerTo(handshake("/ws", "Sec-WebSocket-Protocol: chat, other\r\n"))).toBe(
      ACCEPTED + "Sec-WebSocket-Protocol: chat\r\n\r\n",
    );
  });
});

describe("messages", () => {
  test("are whole, however they come", () => {
    const peer = client();
    expect(exchange(peer, masked(0x81, "hello"))).toBe("81(hello)");
    expect(exchange(peer, masked(0x02, "one ") + masked(0x00, "two ") + masked(0x80, "three"))).toBe(
      "82(one two three)",
    );
    expect(exchange(peer, masked(0x81, ""))).toBe("81()");
    expect(exchange(peer, masked(0x01, "a") + masked(0x80, ""))).toBe("81(a)");
    const large = masked(0x82, pattern(300000));
    let answer = "";
    for (let at = 0; at < large.length; at += 9999) answer += exchange(peer, large.substr(at, 9999));
    expect(answer == "82(" + pattern(300000) + ")").toBe(true);
    expect(i32(bytesInUse())).toBe(0);
    expect(echo.messages).toBe(5);
  });

  test("up to messageBytesMax", () => {
    echo.messageBytesMax = 1000;
    const peer = client();
    expect(exchange(peer, masked(0x82, "a".repeat(1000)))).toBe("82(" + "a".repeat(1000) + ")");
    expect(exchange(peer, masked(0x02, "a".repeat(1000)) + masked(0x80, "a"))).toBe("88(1009 message too big)");
    expect(echo.log).toBe("open close(1006,12,) ");
    settle();
    expect(i32(bytesInUse())).toBe(0);
  });

  test("as strings; pings and closing", () => {
    const peer = client();
    expect(exchange(peer, masked(0x81, "text"))).toBe("81(\xc3\xbc\xf0\x9f\x8c\x8a\xef\xbf\xbd)");
    expect(exchange(peer, masked(0x81, "ping"))).toBe("89(ping)");
    expect(exchange(peer, masked(0x8a, "ping"))).toBe("");
    expect(exchange(peer, masked(0x81, "quit"))).toBe("88(4000 as you wish)");
    expect(exchange(peer, closing(4000))).toBe("");
    expect(echo.log).toBe("open pong(ping) close(4000,1,) ");
  });

  test("of a peer that does not read what comes back wait", () => {
    const peer = client();
    peer.room = 0;
    const message = masked(0x82, pattern(1000));
    for (let i = 0; i < 40; i++) {
      peer.send(message.repeat(50));
      settle();
    }
    expect(i32(bytesInUse())).toBeLessThan(8 * READ_CHUNK_BYTES);
    expect(peer.input.size).toBeGreaterThan(1 << 20);
    peer.room = i32.MAX_VALUE;
    settle();
    expect(frames(peer).length).toBe(2000 * 1005 - 1);
    expect(echo.messages).toBe(2000);
    expect(i32(bytesInUse())).toBe(0);
  });
});
