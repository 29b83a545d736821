// An HTTP server on a bad day. Invariants tested: whatever clients send, however the network cuts, delays and breaks
// it, and whenever handlers answer, nothing traps or hangs; answers come in order, each to its own request on its own
// connection; nothing of another connection is among them; every connection ends, and all memory comes back.
//
// A failure names its seed and episode. The same SEED gives the same run.
import { TestOptions, afterEach, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { HTTPServer } from "../../../assembly/http/server";
import { IOLoop } from "../../../assembly/loop/ioloop";
import { LISTENERS_MAX, REQUESTS_MAX } from "../../../assembly/core/limits";
import { bindSockets } from "../../../assembly/server/acceptor";
import * as wasi from "../../../assembly/wasi/index";
import { network } from "../../../assembly/wasi/sim/net";
import { Client } from "../support/fuzzclient";
import { FuzzHandler } from "../support/fuzzhandler";
import { seed as seedMutations } from "../protocol/http/support/random";
import { MS, turn } from "../support/sim";

const SEED: u64 = 1;
const EPISODES: i32 = 600;
const CLIENTS_MAX: i32 = 8;
/** More turns than an episode needs. */
const TURNS_MAX: i32 = 30000;
/** Long enough for every handler and slow reader, too short for a time limit. */
const PATIENCE_MS: i64 = 20000;
/** Longer than every time limit. */
const END_MS: i64 = 300000;
const GRACE_MS: i32 = 3000;

const handler: FuzzHandler = new FuzzHandler();
let server: HTTPServer = new HTTPServer(handler);
let clients: Array<Client> = [];
let episode: i32 = 0;
let phase: string = "";

afterEach(() => {
  if (phase.length) console.log("seed " + SEED.toString() + ", episode " + episode.toString() + ", " + phase);
});

function begin(): void {
  network().seed(SEED * 1000003 + episode);
  seedMutations(SEED * 1000003 + episode);
  server.parameters.requestsMax = network().below(4) ? REQUESTS_MAX : 1 + network().below(5);
}

/** How bad the day is: often some things, sometimes none, sometimes all. Whether clients break connections, too. */
function chooseFaults(): bool {
  const net = network();
  const faults = net.faults;
  faults.clear();
  if (net.below(3)) faults.shortReads = net.below(400);
  if (net.below(3)) faults.shortWrites = net.below(400);
  if (net.below(3)) faults.again = net.below(400);
  if (net.below(3)) faults.spurious = net.below(200);
  if (net.below(3)) faults.late = net.below(400);
  if (net.below(6) == 0) faults.full = 100;
  if (net.below(5) == 0) faults.resets = 1 + net.below(10);
  return net.below(3) == 0;
}

/** New clients send what they have to say, or as much of it as they can in so many turns. */
function send(listener: i32, turnsMax: i32): bool {
  phase = "sending";
  const net = network();
  const mayReset = chooseFaults();
  clients = [];
  for (let i = net.below(CLIENTS_MAX); i >= 0; i--) clients.push(new Client(listener, server.parameters.requestsMax));
  for (let turns = 0; turns < turnsMax; turns++) {
    let sending = false;
    for (let i = 0; i < clients.length; i++) {
      if (net.below(3) == 0 || clients[i].step(mayReset)) sending = true;
    }
    IOLoop.current().turn(net.below(4) ? 0 : net.below(4) * MS);
    if (!sending) return true;
  }
  return false;
}

/** Turns for so long, or until nothing more will happen by itself, or all that must be answered is. */
function wait(milliseconds: i64, untilServed: bool): void {
  const net = network();
  const end = net.clock + milliseconds * MS;
  for (let turns = 0; net.clock < end; turns++) {
    assert(turns < TURNS_MAX, "the loop spins");
    if (IOLoop.current().turn(min(end - net.clock, 1000 * MS)) == wasi.FOREVER) return;
    if (untilServed && turns % 64 == 0 && clients.every((client) => client.isServed)) return;
  }
}

/** Every answer is the right one. */
function checkAnswers(): void {
  for (let i = 0; i < clients.length; i++) {
    clients[i].check();
    clients[i].checkWords(clients);
  }
}

/** Every client that was promised answers gets them. */
function awaitAnswers(): void {
  phase = "awaiting the answers";
  for (let i = 0; i < clients.length; i++) clients[i].openUp();
  wait(PATIENCE_MS, true);
  checkAnswers();
  for (let i = 0; i < clients.length; i++) {
    assert(clients[i].isServed, "no answer: " + clients[i].story);
    assert(!clients[i].lost, "an answer may be lost to a reset: " + clients[i].story);
  }
}

/** The clients leave, and nothing of them stays. */
function finish(): void {
  phase = "ending";
  const net = network();
  net.faults.clear();
  for (let i = 0; i < clients.length; i++) {
    if (net.below(3)) clients[i].peer.end();
    else clients[i].peer.close();
  }
  wait(END_MS, false);
  checkNothingLeft();
}

function checkNothingLeft(): void {
  assert(server.connections == 0, server.connections.toString() + " connections are left");
  assert(bytesInUse() == 0, bytesInUse().toString() + " bytes are left");
  assert(handler.isIdle, "a request was left behind");
  assert(turn() == wasi.FOREVER, "the loop does not come to rest");
  for (let i = 0; i < clients.length; i++) {
    assert(clients[i].peer.closed || clients[i].peer.broken, "a connection is open: " + clients[i].story);
  }
}

test("episodes", TestOptions.timeout(60000), () => {
  server.listen();
  for (episode = 0; episode < EPISODES; episode++) {
    begin();
    assert(send(0, TURNS_MAX), "it sends for ever");
    awaitAnswers();
    finish();
  }
  phase = "";
  // It was neither all broken nor all harmless.
  expect(handler.requests).toBeGreaterThan(EPISODES * 5);
  expect(handler.closed).toBeGreaterThan(EPISODES / 10);
  expect(handler.upgrades).toBeGreaterThan(EPISODES / 20);
});

test("all clients are slow: the time limits alone end every connection", TestOptions.timeout(60000), () => {
  server.listen();
  for (episode = 0; episode < EPISODES / 6; episode++) {
    begin();
    send(0, network().below(40));
    phase = "trickling";
    for (let second = 0; second < 200; second++) {
      for (let i = 0; i < clients.length; i++) clients[i].trickle();
      wait(1000, false);
    }
    checkAnswers();
    phase = "standing still";
    network().faults.clear();
    wait(END_MS, false);
    checkNothingLeft();
  }
  phase = "";
});

test("drained in the middle of everything", TestOptions.timeout(60000), () => {
  network().listen(LISTENERS_MAX);
  turn();
  for (episode = 0; episode < LISTENERS_MAX; episode++) {
    begin();
    server = new HTTPServer(handler);
    server.addSockets([bindSockets()[episode]]);
    send(episode, 1 + network().below(40));
    phase = "draining";
    server.drain(GRACE_MS);
    wait(GRACE_MS + 1, false);
    checkAnswers();
    assert(server.connections == 0, "the grace was not the end");
    wait(END_MS, false);
    checkNothingLeft();
  }
  phase = "";
});
