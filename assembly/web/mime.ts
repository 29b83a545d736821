// The Content-Type of a file by its extension: the types of the web. `mrmime`, which the host uses, is no
// AssemblyScript.

const TYPES: string =
  " html:text/html htm:text/html css:text/css js:text/javascript mjs:text/javascript json:application/json" +
  " map:application/json txt:text/plain md:text/markdown csv:text/csv xml:text/xml svg:image/svg+xml" +
  " png:image/png jpg:image/jpeg jpeg:image/jpeg gif:image/gif webp:image/webp avif:image/avif ico:image/x-icon" +
  " bmp:image/bmp woff:font/woff woff2:font/woff2 ttf:font/ttf otf:font/otf wasm:application/wasm" +
  " pdf:application/pdf zip:application/zip gz:application/gzip mp4:video/mp4 webm:video/webm mp3:audio/mpeg" +
  " ogg:audio/ogg wav:audio/wav flac:audio/flac webmanifest:application/manifest+json ics:text/calendar ";

/** The type of a file with this name; application/octet-stream for one that is not known. */
export function typeOf(name: string): string {
  const dot = name.lastIndexOf(".");
  const extension = name.substring(dot + 1).toLowerCase();
  const at = dot < 0 || extension.includes(" ") || extension.includes(":") ? -1 : TYPES.indexOf(" " + extension + ":");
  if (at < 0) return "application/octet-stream";
  const start = at + extension.length + 2;
  return TYPES.substring(start, TYPES.indexOf(" ", start));
}
