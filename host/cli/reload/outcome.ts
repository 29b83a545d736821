/**
 * How a server says to `waterspout reload` what became of it: the command listens on a Unix-domain socket that is named
 * after the server's process, and the server, if there is such a socket, writes a JSON object to it.
 *
 * Invariant: the socket's folder belongs to the server's user or to root, and no other user may write to it; a server
 * writes to no other. So another user neither hears of an outcome nor makes one up.
 */
import { chownSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { UsageError } from "../../core/errors.js";
import { ignore } from "../../core/promises.js";

/** Both sides must mean the same folder, whatever TMPDIR says to one of them. */
const FOLDER = "/tmp";
const OUTCOME_BYTES_MAX = 4096;

function folderOf(uid: number): string {
  return join(FOLDER, `waterspout-${uid}`);
}

function socketOf(uid: number, pid: number): string {
  return join(folderOf(uid), `reload-${pid}`);
}

/** Whether `folder` is there and belongs to this user or to root alone. */
function isSafe(folder: string, uid: number): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && (found.uid === uid || found.uid === 0) && (found.mode & 0o022) === 0;
}

/** The user of a process that is no other's; Windows has none, and no signals either. */
function ownUid(): number {
  return process.getuid?.() ?? 0;
}

/** Says what became of a reload: null when the new version serves, else why it does not. It fails silently. */
export function reportOutcome(failure: string | null): void {
  const uid = ownUid();
  if (!isSafe(folderOf(uid), uid)) return;
  const socket = connect(socketOf(uid, process.pid));
  socket.on("error", () => {}); // no `waterspout reload` waits
  socket.end(JSON.stringify({ failure } satisfies Outcome));
}

/** What became of a reload. */
export interface Outcome {
  /** Why the new version does not serve; null when it does. */
  readonly failure: string | null;
}

/** A socket on which an outcome is awaited. */
export interface Waiting {
  readonly outcome: Promise<Outcome>;
  close(): void;
}

/** Listens for the outcome of process `pid`, which is `uid`'s. Rejects with UsageError when others own the folder. */
export async function awaitOutcome(pid: number, uid: number): Promise<Waiting> {
  const folder = folderOf(uid);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (ownUid() === 0 && uid !== 0 && lstatSync(folder).uid === 0) chownSync(folder, uid, -1);
  if (!isSafe(folder, uid)) throw new UsageError(`${folder} belongs to another user, or others may write to it`);
  const path = socketOf(uid, pid);
  rmSync(path, { force: true }); // of a command that was killed
  const server = createServer();
  await listening(server, path);
  if (ownUid() === 0) chownSync(path, uid, -1);
  return { outcome: ignore(firstOutcome(server)), close: () => server.close() };
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}

function firstOutcome(server: Server): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    server.on("connection", (socket) => {
      let text = "";
      socket.on("error", () => {});
      socket.on("data", (chunk: Buffer) => {
        text += chunk;
        if (text.length > OUTCOME_BYTES_MAX) socket.destroy(new Error("too long"));
      });
      socket.on("end", () => {
        try {
          resolve(JSON.parse(text) as Outcome);
        } catch {
          reject(new Error("what the server said cannot be read"));
        }
      });
    });
  });
}
