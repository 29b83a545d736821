/**
 * How much a stream may hold and how much it reads at a time: for the streams of a server and for those of the program
 * itself.
 */
import { UINT31_MAX, wholeNumber } from "../core/check.js";
import { READ_CHUNK_BYTES } from "../core/limits.js";

/** Options of a stream that is not a server's. */
export interface StreamOptions {
  /** Bytes that one read may need to hold. Default: no bound for `readBytes`, 16 MiB for `readUntilClose`. */
  bufferBytesMax?: number | undefined;
  /** Bytes that the iteration over the stream and its conversions take at a time. Default 64 KiB. */
  readChunkBytes?: number | undefined;
  /** Bytes that may wait to be sent; a write beyond throws StreamBufferFullError. Default: no bound. */
  writeBufferBytesMax?: number | undefined;
}

/** Options of every server that its streams know, beside the bounds in bridge/settings.ts. */
export interface ServerStreamOptions {
  /** Bytes that the iteration over a stream and its conversions take at a time. Default 64 KiB. */
  readChunkBytes?: number | undefined;
}

/** What a stream may hold and how it reads. */
export interface StreamSettings {
  /** Bytes that one read may need to hold; 0: no bound but that of the call. */
  readonly bufferBytesMax: number;
  /** Bytes that are taken at a time where a read has no amount of its own. */
  readonly readChunkBytes: number;
  /** Bytes that may wait to be sent; 0: no bound. */
  readonly writeBufferBytesMax: number;
}

/** Settings of a stream that is not a server's. Throws OptionError. */
export function resolveStream(options: StreamOptions): StreamSettings {
  const checked = (name: keyof StreamOptions, preset: number): number => {
    const value = options[name];
    return value === undefined ? preset : wholeNumber(name, value, 1);
  };
  return {
    bufferBytesMax: checked("bufferBytesMax", 0),
    readChunkBytes: checked("readChunkBytes", READ_CHUNK_BYTES),
    writeBufferBytesMax: checked("writeBufferBytesMax", 0),
  };
}

/** The part of a server's settings that only its streams need. Throws OptionError. */
export function resolveServerStream({
  readChunkBytes = READ_CHUNK_BYTES,
}: ServerStreamOptions): Pick<StreamSettings, "readChunkBytes"> {
  return { readChunkBytes: wholeNumber("readChunkBytes", readChunkBytes, 1, UINT31_MAX) };
}
