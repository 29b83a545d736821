// The end of an application that a program watches over: its servers finish what they have begun, then the loop stops.
//
// An application exports these beside `_start` and `turn`, for preview1 has no signals: in Node the host calls `drain`,
// and under wasmtime it invokes `supervised` in the place of `_start`. Invariant: descriptor 0 is read by `supervised`
// alone; with `_start` it may be anything.

import { ORPHAN_GRACE_MS } from "../core/limits";
import { AGAIN } from "../core/errors";
import { turn, FOREVER } from "../loop/entry";
import { Callback, EventHandler, IOLoop, READ, Timeout } from "../loop/ioloop";
import { TCPServer } from "./tcpserver";
import * as wasi from "../wasi/index";

/** Whether a drain is over is looked at so often. */
const CHECK_MS: i64 = 5;
/** A message: the two numbers of `drain`, each of 32 bits, little-endian. */
const MESSAGE_BYTES: i32 = 8;
const message: usize = memory.data(8, 4);

/**
 * Every server that listens finishes what it has begun, within `graceMs`; then the loop stops. An idle connection may
 * bring one more request within `requestMs` of its last answer. A second call may shorten both.
 */
export function drain(graceMs: i32, requestMs: i32): void {
  const servers = TCPServer.listening;
  for (let i = 0; i < servers.length; i++) servers[i].drain(graceMs, requestMs);
  IOLoop.current().callLater(0, drained);
}

/**
 * As `_start`, for an application below another program: descriptor 0 is a pipe from that, on which a message says when
 * to drain. When the pipe ends, that program is gone: the application drains within ORPHAN_GRACE_MS. A component is not
 * invoked by this, and does not import stdin for it.
 */
export function supervised(): void {
  if (WASI == 1) IOLoop.current().addCallback(new Supervision());
  while (turn(FOREVER) >= 0) {}
}


@final
class Drained extends Timeout {
  run(): void {
    const servers = TCPServer.listening;
    let open = 0;
    for (let i = 0; i < servers.length; i++) open += servers[i].connections + i32(servers[i].accepting);
    if (open) IOLoop.current().callLater(CHECK_MS, this);
    else IOLoop.current().stop();
  }
}
const drained: Drained = new Drained();


@final
class Supervision extends Callback {
  run(): void {
    IOLoop.current().addHandler(wasi.openChannel(), new Messages(), READ);
  }
}


@final
class Messages extends EventHandler {
  private read: i32 = 0;

  onReady(handle: i32, events: i32): void {
    const size = wasi.channelRead(handle, message + usize(this.read), MESSAGE_BYTES - this.read);
    if (size == AGAIN) return;
    if (size <= 0) {
      IOLoop.current().removeHandler(handle);
      drain(ORPHAN_GRACE_MS, 0);
      return;
    }
    this.read += size;
    if (this.read < MESSAGE_BYTES) return;
    this.read = 0;
    drain(load<i32>(message), load<i32>(message, 4));
  }
}
