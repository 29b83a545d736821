/**
 * Which requests the admin server answers: those of programs that name it by an address or as localhost, and those of
 * its own pages.
 *
 * Invariant: a page of another site in the same browser learns nothing. Its requests name another host (DNS
 * rebinding), or the browser's fields name another site; no answer has CORS fields.
 */
import { isIP } from "node:net";
import type { HTTPServerRequest } from "../http/request.js";

/** Why a request is not answered; null: it is. */
export function refusalOf(request: HTTPServerRequest): string | null {
  if (!isLocalName(request.host)) return "Ask by an IP address or as localhost: other names are refused.";
  const site = request.headers.get("sec-fetch-site");
  const followsLink = request.headers.get("sec-fetch-mode") === "navigate";
  const isForeign = site === "cross-site" || site === "same-site";
  return isForeign && !followsLink ? "Pages of other sites are refused." : null;
}

/** Whether a Host field holds an IP address or `localhost`, with or without a port. */
export function isLocalName(host: string): boolean {
  const name = host.replace(/:\d{1,5}$/, "").toLowerCase();
  if (name === "localhost") return true;
  return name.startsWith("[") && name.endsWith("]") ? isIP(name.slice(1, -1)) === 6 : isIP(name) === 4;
}
