/**
 * Zstandard, which Node has from 22.15 on: its types here are those of older Nodes, so what is used of it is declared.
 *
 * Invariant: a compressor looks back at most 256 KiB, as those of the other codings, whatever the level.
 */
import type { Transform } from "node:stream";
import zlib from "node:zlib";

interface ZstdOptions {
  params: Record<number, number>;
  flush?: number;
}

interface WithZstd {
  createZstdCompress?(options: ZstdOptions): Transform;
  zstdCompressSync?(body: Uint8Array, options: ZstdOptions): Buffer;
}

const { createZstdCompress, zstdCompressSync } = zlib as WithZstd;
const constants = zlib.constants as unknown as Record<string, number>;
const WINDOW_BITS = 18;

/** Whether this Node has it. */
export const hasZstd = createZstdCompress !== undefined && zstdCompressSync !== undefined;

/** All of a body. Only where there is zstd. */
export function zstdWhole(body: Uint8Array, level: number): Buffer {
  return (zstdCompressSync as NonNullable<typeof zstdCompressSync>)(body, { params: paramsOf(level) });
}

/** A stream that compresses; `inPieces`: each piece leaves when it has come. Only where there is zstd. */
export function zstdStream(level: number, inPieces: boolean): Transform {
  const flush = constants[inPieces ? "ZSTD_e_flush" : "ZSTD_e_continue"] as number;
  return (createZstdCompress as NonNullable<typeof createZstdCompress>)({ params: paramsOf(level), flush });
}

function paramsOf(level: number): Record<number, number> {
  const { ZSTD_c_compressionLevel, ZSTD_c_windowLog } = constants;
  return { [ZSTD_c_compressionLevel as number]: level, [ZSTD_c_windowLog as number]: WINDOW_BITS };
}
