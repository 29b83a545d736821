/**
 * Numbers of WASI preview1 that the host answers with: errors and types of files.
 * Reference: WASI snapshot 01, wasi_snapshot_preview1.witx.
 */
export const ERRNO_ACCES = 2;
export const ERRNO_AGAIN = 6;
export const ERRNO_BADF = 8;
export const ERRNO_CONNRESET = 15;
export const ERRNO_ILSEQ = 25;
export const ERRNO_INVAL = 28;
export const ERRNO_IO = 29;
export const ERRNO_ISDIR = 31;
export const ERRNO_LOOP = 32;
export const ERRNO_MFILE = 33;
export const ERRNO_NAMETOOLONG = 37;
export const ERRNO_NFILE = 41;
export const ERRNO_NOENT = 44;
export const ERRNO_NOTDIR = 54;
export const ERRNO_NOTSUP = 58;
export const ERRNO_NXIO = 60;
export const ERRNO_PERM = 63;
export const ERRNO_PIPE = 64;
export const ERRNO_TIMEDOUT = 73;

export const FILETYPE_CHARACTER_DEVICE = 2;
export const FILETYPE_DIRECTORY = 3;
export const FILETYPE_REGULAR = 4;
export const FILETYPE_SOCKET_STREAM = 6;
