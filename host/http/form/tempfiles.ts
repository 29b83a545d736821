/**
 * The temporary files of one request's form.
 *
 * Invariants: no other user can read or guess them; after `remove` nothing is left, also of a file that is just being
 * written. What a process leaves that was killed is removed by the next that keeps a form's file in the same place.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { lstat, mkdtemp, open, readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { ignore } from "../../core/promises.js";

export class FormFolder {
  readonly #parent: string;
  #path: Promise<string> | null = null;
  #files = 0;
  /** The file that is being written, if any. */
  #writing: Promise<unknown> = Promise.resolve();
  #removed = false;

  constructor(parent: string = tmpdir()) {
    this.#parent = parent;
  }

  /** Writes a file as its blocks come. */
  async store(blocks: AsyncIterable<Buffer>): Promise<{ path: string; size: number }> {
    this.#path ??= this.#make();
    const file = path.join(await this.#path, String(++this.#files));
    const writing = this.#write(file, blocks);
    this.#writing = writing.catch(() => {});
    return { path: file, size: await writing };
  }

  /** Takes everything away; may be called while a file is being written, which then ends. */
  remove(): void {
    this.#removed = true;
    const folder = this.#path;
    if (folder === null) return;
    void ignore(this.#writing.then(async () => rm(await folder, { recursive: true, force: true })));
  }

  /** Readable by this user alone. */
  async #make(): Promise<string> {
    if (!swept.has(this.#parent)) {
      swept.add(this.#parent);
      void ignore(sweep(this.#parent)); // what cannot be looked at or removed stays
    }
    return mkdtemp(path.join(this.#parent, ownPrefix()));
  }

  async #write(file: string, blocks: AsyncIterable<Buffer>): Promise<number> {
    const handle = await open(file, "wx", 0o600);
    let size = 0;
    try {
      for await (const block of blocks) {
        if (this.#removed) break;
        await handle.writeFile(block);
        size += block.length;
      }
    } finally {
      await handle.close();
    }
    return size;
  }
}

// --- what others have left ---

// A folder's name says whose it is: the host, the process there, and when that was started, since numbers of processes
// come back.
const NAME = /^waterspout-form-([0-9a-f]{8})-([0-9]{1,10})-([0-9]{1,20})-/;
let own: string | null = null;
/** Where this process has looked. */
const swept = new Set<string>();

function ownPrefix(): string {
  own ??= `waterspout-form-${hostId()}-${process.pid}-${startOf(process.pid)}-`;
  return own;
}

/** Folders may be shared by several machines or containers. */
function hostId(): string {
  return createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
}

/** Removes the folders of this host's and this user's processes that are gone. */
async function sweep(parent: string): Promise<void> {
  for (const entry of await readdir(parent)) {
    const [, host, pid, start] = NAME.exec(entry) ?? [];
    if (host !== hostId() || startOf(Number(pid)) === start) continue;
    const folder = path.join(parent, entry);
    const found = await lstat(folder).catch(() => null);
    if (found?.isDirectory() && found.uid === process.getuid?.()) await rm(folder, { recursive: true, force: true });
  }
}

/**
 * When a process was started, in a unit of the system's; "0" where the system does not tell; null: there is no such
 * process.
 */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[START_COLUMN] ?? "0";
  } catch {
    return existsSync("/proc/self/stat") || !isAlive(pid) ? null : "0";
  }
}

/** proc(5), field 22; what stands behind the program's name begins with the third. */
const START_COLUMN = 22 - 3;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
