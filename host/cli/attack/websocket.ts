/**
 * Frames that a websocket must not take, and messages without end. Behind each bad frame goes a ping: a pong shows that
 * the server has gone on.
 *
 * Reference: RFC 6455 5, 7.
 */
import { Connection } from "./connection.js";
import { type Attack, atOnce, type Kinds, shown, type Verdict } from "./finding.js";
import { pour, sizeOf } from "./limits.js";
import { BINARY, CLOSE, CONTINUATION, closing, frame, handshakeText, PING, PONG, TEXT } from "./wsframes.js";

interface BadFrames {
  readonly name: string;
  readonly frames: readonly Buffer[];
  readonly wants: string;
}

const bad = (name: string, wants: string, ...frames: Buffer[]): BadFrames => ({ name, wants, frames });
const part = { fin: false } as const;

const BAD: readonly BadFrames[] = [
  bad("text without a mask", "a close (RFC 6455 5.1)", frame(TEXT, "x", { masked: false })),
  bad("a ping without a mask", "a close (RFC 6455 5.1)", frame(PING, "", { masked: false })),
  ...[1, 2, 4].map((reserved) =>
    bad(`reserved bits ${reserved}`, "a close (RFC 6455 5.2)", frame(PING, "", { reserved })),
  ),
  ...[3, 7, 11, 15].map((opcode) => bad(`opcode ${opcode}`, "a close (RFC 6455 5.2)", frame(opcode))),
  bad("a length in 2 bytes that fits into 1", "a close (RFC 6455 5.2)", frame(BINARY, "x", { lengthBytes: 2 })),
  bad("a length in 8 bytes that fits into 1", "a close (RFC 6455 5.2)", frame(BINARY, "x", { lengthBytes: 8 })),
  bad("2^63 bytes", "a close (RFC 6455 5.2)", frame(BINARY, "", { length: 2n ** 63n, lengthBytes: 8 })),
  bad("2^62 bytes", "a close: no server has room for it", frame(BINARY, "", { length: 2n ** 62n, lengthBytes: 8 })),
  bad("a ping of 126 bytes", "a close (RFC 6455 5.5)", frame(PING, "x".repeat(126))),
  bad("a ping in fragments", "a close (RFC 6455 5.5)", frame(PING, "a", part), frame(CONTINUATION, "b")),
  bad("a continuation of nothing", "a close (RFC 6455 5.4)", frame(CONTINUATION, "x")),
  bad("text inside text", "a close (RFC 6455 5.4)", frame(TEXT, "a", part), frame(TEXT, "b")),
  bad("text that is not UTF-8", "a close (RFC 6455 8.1)", frame(TEXT, Buffer.from([0xc0, 0xaf]))),
  bad("a close of one byte", "a close (RFC 6455 5.5.1)", frame(CLOSE, "x")),
  bad("a close with code 1005", "a close (RFC 6455 7.4.1)", frame(CLOSE, closing(1005))),
  bad("frames behind a close", "a close, and no more (RFC 6455 5.5.1)", frame(CLOSE, closing(1000)), frame(TEXT, "x")),
];

interface Endless {
  readonly name: string;
  readonly first: Buffer;
  readonly more: Buffer;
  readonly whenTaken: Verdict;
  readonly reads?: boolean;
}

const ENDLESS: readonly Endless[] = [
  {
    name: "fragments without end",
    first: frame(BINARY, "a", part),
    more: frame(CONTINUATION, "a".repeat(1000), part),
    whenTaken: "fail",
  },
  {
    name: "pings without end, no pong read",
    first: Buffer.alloc(0),
    more: frame(PING, "a".repeat(125)),
    whenTaken: "note",
    reads: false,
  },
];

export const websocket: Kinds = {
  count: () => BAD.length + ENDLESS.length + 1,
  async run(attack) {
    if (!(await isWebSocket(attack))) return;
    await atOnce(BAD, attack.connections, (each) => sendBad(attack, each));
    await atOnce(ENDLESS, attack.connections, (each) => sendEndless(attack, each));
  },
};

/** Opens a websocket; what comes behind the handshake begins at `at` of what was received. */
async function open({ target }: Attack, reads = true): Promise<{ connection: Connection; at: number | null }> {
  const connection = await Connection.open(target);
  const origin = `${target.tlsName === null ? "http" : "https"}://${target.host}`;
  connection.send(handshakeText(target.socketPath ?? "/", { Host: target.host, Origin: origin }));
  await connection.until(() => connection.answers.some(({ isWhole }) => isWhole), target.answerMs);
  const [answer] = connection.answers;
  if (!reads) connection.pause();
  return { connection, at: answer?.status === 101 ? answer.end : null };
}

async function isWebSocket(attack: Attack): Promise<boolean> {
  const { connection, at } = await open(attack);
  if (at !== null) connection.send(frame(PING, "here"));
  const isThere = at !== null && (await connection.until(() => hasPong(connection, at), attack.target.answerMs));
  const { answers } = connection;
  connection.destroy();
  attack.found({
    name: "a handshake and a ping",
    sent: shown(handshakeText(attack.target.socketPath ?? "/", { Host: attack.target.host })),
    came: isThere ? "a pong" : `status ${answers[0]?.status ?? "none"}, no pong`,
    wants: "101 and a pong: without them nothing more is tried",
    verdict: isThere ? "pass" : "note",
  });
  return isThere;
}

async function sendBad(attack: Attack, { name, frames, wants }: BadFrames): Promise<void> {
  const { connection, at } = await open(attack);
  const bytes = Buffer.concat(frames);
  connection.send(Buffer.concat([bytes, frame(PING, "more")]));
  await connection.until(() => hasPong(connection, at), attack.target.answerMs);
  const goesOn = hasPong(connection, at);
  const [code, { isClosed }] = [closeCode(connection, at), connection];
  connection.destroy();
  const end = isClosed ? "the connection closed" : "the connection open";
  attack.found({
    name,
    sent: shown(bytes),
    came: `${goesOn ? "a pong" : code === null ? "nothing" : `close ${code}`}, ${end}`,
    wants,
    verdict: goesOn ? "fail" : isClosed ? "pass" : "note",
  });
}

async function sendEndless(attack: Attack, { name, first, more, whenTaken, reads = true }: Endless): Promise<void> {
  const { connection, at } = await open(attack, reads);
  connection.send(first);
  const { taken, isStuck } = await pour(connection, more, () => closeCode(connection, at) !== null);
  const code = closeCode(connection, at);
  const { isClosed } = connection;
  connection.destroy();
  const how = code === null ? (isClosed ? "closed" : isStuck ? "not read on" : "read") : `close ${code}`;
  attack.found({
    name,
    sent: `${shown(more.subarray(0, 20))}…`,
    came: `${how}, after ${sizeOf(taken)}`,
    wants: "a bound, or no more read than is answered",
    verdict: code !== null || isClosed || isStuck ? "pass" : whenTaken,
  });
}

/** Whether a pong has come. Bytes in place of frames hold none. */
function hasPong(connection: Connection, at: number | null): boolean {
  return framesOf(connection, at).some(({ opcode }) => opcode === PONG);
}

/** The code of the close that has come, 1005 without one; null when none has. */
function closeCode(connection: Connection, at: number | null): number | null {
  const close = framesOf(connection, at).find(({ opcode }) => opcode === CLOSE);
  if (close === undefined) return null;
  return close.payload.length < 2 ? 1005 : close.payload.readUInt16BE(0);
}

function framesOf(connection: Connection, from: number | null): { opcode: number; payload: Buffer }[] {
  const bytes = connection.received;
  const frames: { opcode: number; payload: Buffer }[] = [];
  for (let at = from ?? bytes.length; at + 2 <= bytes.length; ) {
    const short = (bytes[at + 1] as number) & 0x7f;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (at + head > bytes.length) break;
    const long = short === 126 ? bytes.readUInt16BE(at + 2) : Number(short === 127 && bytes.readBigUInt64BE(at + 2));
    const end = at + head + (short < 126 ? short : long);
    if (end > bytes.length) break;
    frames.push({ opcode: (bytes[at] as number) & 15, payload: bytes.subarray(at + head, end) });
    at = end;
  }
  return frames;
}
