/** Where the system keeps the user's caches. Reference: the XDG Base Directory Specification. */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** This package's folder there. */
export function cacheFolder(platform: NodeJS.Platform = process.platform, env = process.env, home = homedir()): string {
  const { XDG_CACHE_HOME = "", LOCALAPPDATA = "" } = env;
  if (platform === "darwin") return join(home, "Library", "Caches", "waterspout");
  if (platform === "win32") return join(LOCALAPPDATA || join(home, "AppData", "Local"), "waterspout", "Cache");
  return join(isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(home, ".cache"), "waterspout");
}
