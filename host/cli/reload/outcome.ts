/**
 * How a server says to `waterspout reload` what became of it: the command listens on a Unix-domain socket that is named
 * after the server's process, in a folder of the command's user; the server looks for it there and in root's.
 *
 * Invariant: nothing is done in a folder that another user can write to, except by that user, so root is not led
 * elsewhere; only the server's user can connect. So no other user hears of an outcome or makes one up.
 */
import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { UsageError } from "../../core/errors.js";
import { ignore } from "../../core/promises.js";

/** Both sides must mean the same folder, whatever TMPDIR says to one of them. */
const FOLDER = "/tmp";
const ROOT = 0;
const OUTCOME_BYTES_MAX = 4096;

function folderOf(uid: number): string {
  return join(FOLDER, `waterspout-${uid}`);
}

function socketIn(folder: string, pid: number): string {
  return join(folder, `reload-${pid}`);
}

/** Whether the folder of `uid` is there, is that user's, and no other's to write to. */
function isSafe(uid: number): boolean {
  const found = lstatSync(folderOf(uid), { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === uid && (found.mode & 0o022) === 0;
}

/** The user of this process. Windows has none, and no signals either. */
function ownUid(): number {
  return process.getuid?.() ?? ROOT;
}

/** Says what became of a reload: null when the new version serves, else why it does not. It fails silently. */
export function reportOutcome(failure: string | null): void {
  for (const uid of new Set([ownUid(), ROOT])) {
    if (!isSafe(uid)) continue;
    const socket = connect(socketIn(folderOf(uid), process.pid));
    socket.on("error", () => {}); // no `waterspout reload` waits there
    socket.end(JSON.stringify({ failure } satisfies Outcome));
  }
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
  const own = ownUid();
  const folder = folderOf(own);
  mkdirSync(folder, { recursive: true });
  const found = lstatSync(folder);
  // Servers of other users must get to the sockets of root.
  if (found.isDirectory() && found.uid === own) chmodSync(folder, own === ROOT ? 0o711 : 0o700);
  if (!isSafe(own)) throw new UsageError(`${folder} belongs to another user, or others may write to it`);
  const path = socketIn(folder, pid);
  rmSync(path, { force: true }); // of a command that was killed
  const server = createServer();
  await listening(server, path);
  if (own !== uid) chownSync(path, uid, -1);
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
