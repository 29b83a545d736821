/**
 * The temporary files of one request's form.
 *
 * Invariants: nobody else can read or guess them; after `remove` nothing is left, also of a file that is just being written.
 */
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

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
    this.#path ??= mkdtemp(path.join(this.#parent, "waterspout-form-")); // readable by this user alone
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
    this.#writing.then(async () => rm(await folder, { recursive: true, force: true })).catch(() => {});
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
