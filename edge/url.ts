/**
 * `URL`. Most addresses that a handler sees are plain: a name, a path, a query, and nothing in them that the parser
 * would change. Of these only the places of their parts are kept. All others are whatwg-url's, which costs some
 * hundred times as much.
 *
 * Invariant: what is taken for plain is, letter by letter, what the parser would make of it.
 * Reference: url.spec.whatwg.org 4 and 6.1.
 */
import { URL as FullURL } from "whatwg-url";
import { renew, URLSearchParams } from "./searchparams.js";

const ORIGIN = /^https?:\/\/([a-z\d_-]+(?:\.[a-z\d_-]+)*)(?::([1-9]\d{0,4}))?$/;
const PORT_MAX = 65535;
const DEFAULT_PORT = /^(?:http:.*:80|https:.*:443)$/;
/** The parser takes a host whose last label is a number for an address of IPv4. */
const NAME = /(?:^|\.)[a-z_-][a-z\d_-]*$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const TARGET = /^\/[\w\-.~!$&()*+,;=:@%/[\]]*(?:\?[\w\-.~!$&()*+,;=:@%/?[\]]*)?$/;
const PORT = /:(\d+)$/;
/** "http://a" */
const ORIGIN_LENGTH_MIN = 8;

/** The last ones: of nearly all requests they are the same. */
let plainOrigin = "";
let plainHref = "";

function isPlainOrigin(origin: string): boolean {
  if (origin === plainOrigin) return true;
  const [, host, port] = ORIGIN.exec(origin) ?? [];
  if (host === undefined || Number(port ?? 0) > PORT_MAX || DEFAULT_PORT.test(origin) || host.includes("xn--"))
    return false;
  if (!NAME.test(host) && !IPV4.test(host)) return false;
  plainOrigin = origin;
  return true;
}

function isPlainTarget(target: string): boolean {
  return TARGET.test(target) && target.indexOf("/.") < 0 && target.indexOf("/%2") < 0;
}

/** A request asks for an address that is none: 400. */
export class AddressError extends TypeError {}

let lastHost = "";
let lastOrigin = "";

/** The origin of a Host field; without one (HTTP/1.0) it is localhost. */
function originOf(host: string): string {
  if (host !== lastHost || lastOrigin === "") {
    const origin = `http://${host === "" ? "localhost" : host}`;
    if (!isPlainOrigin(origin)) {
      const url = URL.parse(`${origin}/`);
      if (url === null || url.href !== `${url.origin}/`) {
        throw new AddressError(`${JSON.stringify(host)} is no host`);
      }
      plainOrigin = url.origin;
    }
    lastHost = host;
    lastOrigin = plainOrigin;
  }
  return lastOrigin;
}

/** The address that a request asks for by its target and its Host field. Throws an AddressError when that is none. */
export function addressOf(target: string, host: string): string {
  if (!target.startsWith("/")) {
    const url = URL.parse(target) ?? URL.parse(`${originOf(host)}/${target}`); // `OPTIONS *`
    if (url === null) throw new AddressError(`${JSON.stringify(target)} is no address`);
    return url.href;
  }
  const href = originOf(host) + target;
  if (!isPlainTarget(target)) return new FullURL(href).href;
  plainHref = href;
  return href;
}

export class URL {
  #href = "";
  #pathAt = 0;
  #queryAt = 0;
  /** In the place of the three, when it is not plain. */
  #full: FullURL | null = null;
  #params: URLSearchParams | null = null;

  constructor(url: string, base?: string) {
    const text = String(url);
    if (base === undefined ? this.#takePlain(text) : this.#takePlainBelow(text, String(base))) return;
    this.#full = base === undefined ? new FullURL(text) : new FullURL(text, String(base));
  }

  #takePlain(text: string): boolean {
    const pathAt = text.indexOf("/", ORIGIN_LENGTH_MIN);
    if (pathAt < 0) return false;
    if (text !== plainHref) {
      if (!isPlainOrigin(text.slice(0, pathAt)) || !isPlainTarget(text.slice(pathAt))) return false;
    }
    const queryAt = text.indexOf("?", pathAt);
    this.#href = text;
    this.#pathAt = pathAt;
    this.#queryAt = queryAt < 0 ? text.length : queryAt;
    return true;
  }

  /** A path on the host of another address. */
  #takePlainBelow(text: string, base: string): boolean {
    if (!text.startsWith("/") || text.startsWith("//")) return false;
    const pathAt = base.indexOf("/", ORIGIN_LENGTH_MIN);
    return this.#takePlain((pathAt < 0 ? base : base.slice(0, pathAt)) + text);
  }

  static canParse(url: string, base?: string): boolean {
    return URL.parse(url, base) !== null;
  }

  static parse(url: string, base?: string): URL | null {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }

  /** To be changed, or because it is not plain. */
  get #whole(): FullURL {
    this.#full ??= new FullURL(this.#href);
    return this.#full;
  }

  get href(): string {
    return this.#full === null ? this.#href : this.#full.href;
  }

  get origin(): string {
    return this.#full === null ? this.#href.slice(0, this.#pathAt) : this.#full.origin;
  }

  get protocol(): string {
    return this.#full === null ? this.#href.slice(0, this.#href.indexOf(":") + 1) : this.#full.protocol;
  }

  get host(): string {
    return this.#full === null ? this.#href.slice(this.#href.indexOf("/") + 2, this.#pathAt) : this.#full.host;
  }

  get hostname(): string {
    if (this.#full !== null) return this.#full.hostname;
    return this.host.replace(PORT, "");
  }

  get port(): string {
    if (this.#full !== null) return this.#full.port;
    return PORT.exec(this.host)?.[1] ?? "";
  }

  get pathname(): string {
    return this.#full === null ? this.#href.slice(this.#pathAt, this.#queryAt) : this.#full.pathname;
  }

  get search(): string {
    if (this.#full !== null) return this.#full.search;
    return this.#queryAt + 1 < this.#href.length ? this.#href.slice(this.#queryAt) : "";
  }

  get hash(): string {
    return this.#full === null ? "" : this.#full.hash;
  }

  get username(): string {
    return this.#full === null ? "" : this.#full.username;
  }

  get password(): string {
    return this.#full === null ? "" : this.#full.password;
  }

  set href(value: string) {
    this.#whole.href = value;
    this.#renewParams();
  }

  set search(value: string) {
    this.#whole.search = value;
    this.#renewParams();
  }

  set protocol(value: string) {
    this.#whole.protocol = value;
  }

  set host(value: string) {
    this.#whole.host = value;
  }

  set hostname(value: string) {
    this.#whole.hostname = value;
  }

  set port(value: string) {
    this.#whole.port = value;
  }

  set pathname(value: string) {
    this.#whole.pathname = value;
  }

  set hash(value: string) {
    this.#whole.hash = value;
  }

  set username(value: string) {
    this.#whole.username = value;
  }

  set password(value: string) {
    this.#whole.password = value;
  }

  get searchParams(): URLSearchParams {
    this.#params ??= new URLSearchParams(this.search, (text) => {
      this.#whole.search = text;
    });
    return this.#params;
  }

  #renewParams(): void {
    if (this.#params !== null) renew(this.#params, this.search.slice(1));
  }

  toString(): string {
    return this.href;
  }

  toJSON(): string {
    return this.href;
  }

  get [Symbol.toStringTag](): string {
    return "URL";
  }
}
