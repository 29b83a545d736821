// What an application without a host logs of refused requests: one line each, so many a second, and how many were left
// out.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { HTTPHandler, HTTPServer, HTTPServerRequest } from "../../../assembly/index";
import { REFUSALS_PER_SECOND } from "../../../assembly/core/limits";
import { Peer, connect, network } from "../../../assembly/wasi/sim/net";
import { settle, sleep } from "../support/sim";

class Silent extends HTTPHandler {
  headersReceived(request: HTTPServerRequest): void {}
}
const server: HTTPServer = new HTTPServer(new Silent());

function send(data: string): Peer {
  const peer = connect();
  peer.send(data);
  settle();
  return peer;
}

/** The lines since the last call. */
function logged(): string {
  const text = network().logged;
  network().logged = "";
  return text;
}

const NO_HOST: string =
  "waterspout: a request was refused with 400: The request has no Host, which HTTP/1.1 requires\n";

test("one line a refused request", () => {
  server.listen();
  settle();
  send("GET / HTTP/1.1\r\n\r\n");
  expect(logged()).toBe(NO_HOST);
  send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(logged()).toBe("");
});

test("so many a second, and how many there were besides", () => {
  server.listen();
  settle();
  for (let i = 0; i < REFUSALS_PER_SECOND + 7; i++) send("GET / HTTP/1.1\r\n\r\n");
  expect(logged()).toBe(NO_HOST.repeat(REFUSALS_PER_SECOND));
  sleep(999);
  send("GET / HTTP/1.1\r\n\r\n");
  expect(logged()).toBe("");
  sleep(1);
  send("GET / HTTP/1.1\r\n\r\n");
  expect(logged()).toBe(NO_HOST.replace("\n", "; 8 more refused before it and not logged\n"));
  send("GET / HTTP/1.1\r\n\r\n");
  expect(logged()).toBe(NO_HOST);
});

test("with the peer's address where it is known", () => {
  server.useProxyProtocol();
  server.listen();
  settle();
  send("PROXY TCP4 192.0.2.7 192.0.2.1 1234 80\r\nGET / HTTP/1.1\r\n\r\n");
  expect(logged()).toBe(NO_HOST.replace("a request was", "a request from 192.0.2.7:1234 was"));
});
