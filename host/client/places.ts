/**
 * Where the requests of an AsyncHTTPClient go: the hosts of its mapping, and the addresses of a host's name.
 *
 * Invariant: a mapping changes where a connection leads, never what is said on it. Reference: Tornado's
 * OverrideResolver and the hostname_mapping of its SimpleAsyncHTTPClient.
 */
import { isIP, type LookupFunction } from "node:net";
import { PORT_MAX } from "../core/check.js";
import { OptionError } from "../core/errors.js";
import { splitHostAndPort } from "../http/httputil.js";
import type { Resolver } from "./tcpclient.js";

/** Options of a request of node:http. */
interface Place {
  hostname?: string;
  port?: number;
  family?: number;
  lookup?: LookupFunction;
}

export class Places {
  readonly #resolver: Resolver | undefined;
  readonly #mapping = new Map<string, readonly [host: string, port: number | null]>();

  /** Throws OptionError for a mapping to what is no host. */
  constructor(resolver?: Resolver, mapping: Readonly<Record<string, string>> = {}) {
    this.#resolver = resolver;
    for (const [name, target] of Object.entries(mapping)) {
      const [place, port] = isIP(target) === 6 ? [target, null] : splitHostAndPort(target);
      const host = place.replace(/^\[|\]$/g, "");
      const isHost = isIP(host) !== 0 || /^[^\s:/[\]]+$/.test(host);
      if (!isHost || (port !== null && (port < 1 || port > PORT_MAX))) {
        throw new OptionError(`hostnameMapping: ${name} cannot be at ${JSON.stringify(target)}`);
      }
      this.#mapping.set(name.toLowerCase(), [host, port]);
    }
  }

  /** `family`: 4 or 6, or 0 for both. */
  of(url: URL, family: number): Place {
    const place: Place = family === 0 ? {} : { family };
    const port = url.port || (url.protocol === "https:" ? "443" : "80");
    const target = this.#mapping.get(`${url.hostname}:${port}`) ?? this.#mapping.get(url.hostname);
    if (target !== undefined) {
      place.hostname = target[0];
      if (target[1] !== null) place.port = target[1];
    }
    if (this.#resolver !== undefined) place.lookup = lookupBy(this.#resolver, family);
    return place;
  }
}

/** As node:net asks for addresses. */
function lookupBy(resolver: Resolver, family: number): LookupFunction {
  return (host, options, callback) => {
    resolver(host).then(
      (found) => {
        const all = found.map(({ address }) => ({ address, family: isIP(address) }));
        const wanted = family === 0 ? all : all.filter((one) => one.family === family);
        const [first] = wanted;
        if (first === undefined) callback(unknown(host), "");
        else if (options.all === true) callback(null, wanted);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ""),
    );
  };
}

function unknown(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${host} has no address`), { code: "ENOTFOUND" });
}
