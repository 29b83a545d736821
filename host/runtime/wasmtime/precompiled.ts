/**
 * A module as machine code: wasmtime compiles it once, and each worker maps that in place of compiling it again, which
 * takes 0.15 s of CPU or more. So a worker that has ended is soon replaced, and workers share the code's memory.
 *
 * Invariant: what workers map was written by wasmtime into a folder that is this user's alone, and has lost its name
 * before the first of them starts: only descriptors of this process and its workers lead to it. Another wasmtime, which
 * has come in the place of the one that has written it, is not given it and compiles the module itself.
 * Reference: `wasmtime compile --help`; access(2), EACCES on file systems that are mounted noexec.
 */
import { execFile } from "node:child_process";
import { closeSync, openSync, statSync } from "node:fs";
import { access, chmod, constants, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { START_TIMEOUT_MS } from "../../core/limits.js";

/** Without it the file holds an image of the memory, 16 MiB for 64 KiB of module. Workers are run with it as well. */
const NO_IMAGE = ["-O", "memory-init-cow=n"];

interface Compiled {
  readonly bytes: Buffer;
  readonly fd: number;
  /** Which file wasmtime was. */
  readonly writer: string;
}

/** By the module's path and the wasmtime that has compiled it. */
const compiled = new Map<string, Compiled>();

/** How a worker is started. */
export interface Start {
  /** For `wasmtime run`: options, and last the file. */
  readonly args: readonly string[];
  /** Descriptors behind those that it has already. */
  readonly fds: readonly number[];
}

/**
 * Compiles `module`, which holds `bytes`, unless that was done. It may fail, where there is no folder for files that
 * are executed for example, or take longer than a start may: then each worker compiles the module, and says what is
 * wrong with it.
 */
export async function precompile(wasmtime: string, module: string, bytes: Buffer): Promise<void> {
  const key = keyOf(wasmtime, module);
  const writer = identityOf(wasmtime);
  const known = compiled.get(key);
  if (known?.writer === writer && known.bytes.equals(bytes)) return;
  const fd = await compile(wasmtime, module);
  const before = compiled.get(key);
  compiled.delete(key);
  if (before !== undefined) closeSync(before.fd);
  if (fd !== null) compiled.set(key, { bytes, fd, writer });
}

/** How to run `module` in a process whose descriptor `free` is the first that is not used. */
export function startOf(wasmtime: string, module: string, free: number): Start {
  const found = compiled.get(keyOf(wasmtime, module));
  if (found === undefined || found.writer !== identityOf(wasmtime)) return { args: [module], fds: [] };
  const named = ["--argv0", basename(module)];
  return { args: ["--allow-precompiled", ...NO_IMAGE, ...named, `/dev/fd/${free}`], fds: [found.fd] };
}

function keyOf(wasmtime: string, module: string): string {
  return JSON.stringify([wasmtime, module]);
}

function identityOf(file: string): string {
  const { ino, size, mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? {};
  return JSON.stringify([ino, size, mtimeMs]);
}

/** Aborts `work` when it takes as long as a worker may until it serves. */
async function withinStart(work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), START_TIMEOUT_MS);
  try {
    await work(late.signal);
  } finally {
    clearTimeout(timer);
  }
}

async function compile(wasmtime: string, module: string): Promise<number | null> {
  let folder: string | null = null;
  try {
    folder = await mkdtemp(join(tmpdir(), "waterspout-"));
    const file = join(folder, "module");
    const { PATH, HOME } = process.env;
    const args = ["compile", "-C", "cache=n", ...NO_IMAGE, "-o", file, module];
    await withinStart((signal) =>
      promisify(execFile)(wasmtime, args, { env: { PATH, HOME }, signal, killSignal: "SIGKILL" }),
    );
    await chmod(file, 0o500);
    await access(file, constants.X_OK);
    return openSync(file, "r");
  } catch {
    return null;
  } finally {
    if (folder !== null) await rm(folder, { recursive: true, force: true });
  }
}
