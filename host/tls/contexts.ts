/**
 * What a server needs for TLS: options with the shape of Python's `ssl_options`, read and checked when the server is
 * made.
 *
 * Invariants: every file is read and understood before anything listens, and an error of one names its path; `reload`
 * replaces all contexts or none. Handshakes are in tls/handshakes.ts.
 * Reference: Tornado's `TCPServer(ssl_options=…)`, Python's `ssl`, RFC 6066 3 (SNI), RFC 7301 (ALPN).
 */
import { constants, createPrivateKey, type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { SecureContext, SecureContextOptions, TLSSocket, TlsOptions } from "node:tls";
import { choice, wholeNumber } from "../core/check.js";
import { whyNoTLS } from "../core/engine.js";
import { OptionError, TLSConfigError } from "../core/errors.js";
import { HANDSHAKE_TIMEOUT_MS } from "../core/limits.js";
import { nodeTLS } from "./nodetls.js";

/** A certificate with its key. */
export interface CertificateFiles {
  /** Path of the certificate in PEM form, with the intermediate ones behind it. */
  certfile: string;
  /** Path of its private key in PEM form. Default: `certfile`, which then holds both. */
  keyfile?: string | undefined;
  /** What the private key is encrypted with. */
  password?: string | undefined;
}

/** Whether clients are asked for a certificate; one that does not verify is refused in any case but `"none"`. */
export type CertReqs = "none" | "optional" | "required";

/** Options of TLS. */
export interface SSLOptions extends CertificateFiles {
  /**
   * Path of the certificates, in PEM form, that clients' certificates are verified with. Needed unless `certReqs` is
   * `"none"`.
   */
  caCerts?: string | undefined;
  /** Default `"none"`. */
  certReqs?: CertReqs | undefined;
  /**
   * OpenSSL's list of ciphers, the preferred one first. Default: Mozilla's intermediate ones, of which the client
   * prefers one.
   */
  ciphers?: string | undefined;
  /** Protocols that are offered by ALPN, the preferred one first. Default: `["http/1.1"]` for HTTP, else none. */
  alpnProtocols?: readonly string[] | undefined;
  /**
   * Other certificates by the name that a client asks for: `"a.example"`, or `"*.a.example"` for one label before it.
   */
  sniContexts?: Readonly<Record<string, CertificateFiles>> | undefined;
  /** Default `"TLSv1.2"`. */
  minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** Milliseconds for a handshake. Default 10 seconds. */
  handshakeTimeoutMs?: number | undefined;
}

/** What a handshake has agreed on. */
export interface TLSInfo {
  /** `"TLSv1.3"` or `"TLSv1.2"`. */
  readonly version: string;
  /** The cipher's standard name. */
  readonly cipher: string;
  /** What ALPN chose; null when it was not used. */
  readonly alpnProtocol: string | null;
  /** The name that the client asked for; null when it did not. */
  readonly serverName: string | null;
  /** The client's certificate, verified; null when there is none. */
  readonly peerCertificate: X509Certificate | null;
}

/**
 * What browsers and servers of the last ten years have in common, all with forward secrecy and authenticated
 * encryption: Mozilla's "intermediate" configuration (wiki.mozilla.org/Security/Server_Side_TLS), less its DHE ciphers,
 * which would need parameters of their own.
 */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];
const HANDSHAKE_MS_MAX = 600_000;
const ALPN_BYTES_MAX = 255;
const TICKET_KEY_BYTES = 48;

interface Contexts {
  readonly preset: SecureContextOptions;
  readonly byName: ReadonlyMap<string, SecureContext>;
  readonly ticketKeys: Buffer;
}

/** Certificates that have been read and checked: a server's own, or for `startTls`, which then reads no files. */
export class TLSContexts {
  /** Milliseconds for a handshake, as the options say. */
  readonly handshakeTimeoutMs: number;
  /** Whether clients are asked for a certificate, as the options say. */
  readonly certReqs: CertReqs;
  readonly #options: SSLOptions;
  readonly #watchers = new Set<() => void>();
  #contexts: Contexts;

  /** Throws TLSConfigError for a file that is missing or wrong, OptionError for an option that is. */
  constructor(options: SSLOptions) {
    const why = whyNoTLS("sslOptions");
    if (why !== null) throw new OptionError(why);
    this.#options = structuredClone(options);
    this.certReqs = checkedCertReqs(options);
    this.handshakeTimeoutMs = wholeNumber(
      "handshakeTimeoutMs",
      options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
      1,
      HANDSHAKE_MS_MAX,
    );
    checkAlpn(options.alpnProtocols ?? []);
    this.#contexts = load(this.#options);
  }

  /** What is used when a client asks for no name that there is a context for. */
  get preset(): SecureContextOptions & { ticketKeys: Buffer } {
    return { ...this.#contexts.preset, ticketKeys: this.#contexts.ticketKeys };
  }

  /** The offer for ALPN; null: none. */
  alpnProtocols(scheme: "http" | "tcp"): string[] | null {
    const protocols = this.#options.alpnProtocols ?? (scheme === "http" ? ["http/1.1"] : []);
    return protocols.length === 0 ? null : [...protocols];
  }

  /** The context for a name; undefined: the preset one. */
  named(name: string): SecureContext | undefined {
    const { byName } = this.#contexts;
    const lower = name.toLowerCase();
    return byName.get(lower) ?? byName.get(`*${lower.slice(lower.indexOf("."))}`);
  }

  /** Reads all files again. Connections that are open keep what they have; when this throws, nothing has changed. */
  reload(): void {
    this.#contexts = load(this.#options);
    for (const changed of this.#watchers) changed();
  }

  /** Calls `changed` after every reload, until the function that is returned is called. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }
}

const infos = new WeakMap<object, TLSInfo>();

/** How a server of node:tls is set up for `contexts`. */
export function serverSettings(contexts: TLSContexts, scheme: "http" | "tcp"): TlsOptions {
  const { certReqs } = contexts;
  const alpn = contexts.alpnProtocols(scheme);
  return {
    ...contexts.preset,
    ...(alpn === null ? {} : { ALPNProtocols: alpn }),
    handshakeTimeout: 2 * HANDSHAKE_MS_MAX, // the code that begins a handshake measures its time
    requestCert: certReqs !== "none",
    rejectUnauthorized: certReqs === "required",
    SNICallback: (name, answer) => answer(null, contexts.named(name)),
  };
}

/** Whether a client has shown a certificate that does not verify and that node:tls has let pass. */
export function refuses(socket: TLSSocket, certReqs: CertReqs): boolean {
  return certReqs === "optional" && !socket.authorized && socket.getPeerX509Certificate() !== undefined;
}

/**
 * Notes what `socket` has just agreed on: once it is closed it cannot be asked. `serverName` is what the client's hello
 * asks for, which node:tls forgets when a session of TLS 1.2 is resumed.
 */
export function noteTLS(socket: TLSSocket, certReqs: CertReqs, serverName: string | null = null): void {
  const certificate = certReqs === "none" ? undefined : socket.getPeerX509Certificate();
  infos.set(socket, {
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher().standardName,
    alpnProtocol: socket.alpnProtocol || null,
    serverName: (socket as { servername?: string | false }).servername || serverName,
    peerCertificate: certificate ?? null,
  });
}

/** What was noted; null for a socket without TLS. */
export function tlsOf(socket: object): TLSInfo | null {
  return infos.get(socket) ?? null;
}

// --- files ---

function load(options: SSLOptions): Contexts {
  const { caCerts } = options;
  const common: SecureContextOptions = {
    minVersion: options.minVersion ?? "TLSv1.2",
    ciphers: options.ciphers ?? CIPHERS.join(":"),
    honorCipherOrder: options.ciphers !== undefined,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionIdContext: "waterspout",
  };
  if (caCerts !== undefined) common.ca = readCertificates("caCerts", caCerts);
  const preset = { ...common, ...readPair(options) };
  makeContext(preset); // now, so that it is the options' error
  const byName = new Map<string, SecureContext>();
  for (const [name, files] of Object.entries(options.sniContexts ?? {})) {
    byName.set(name.toLowerCase(), makeContext({ ...common, ...readPair(files) }));
  }
  return { preset, byName, ticketKeys: randomBytes(TICKET_KEY_BYTES) };
}

function makeContext(options: SecureContextOptions): SecureContext {
  try {
    return nodeTLS().createSecureContext(options);
  } catch (error) {
    throw new OptionError(`sslOptions cannot be used: ${(error as Error).message}`);
  }
}

function readPair(files: CertificateFiles): SecureContextOptions {
  const { certfile, keyfile = certfile, password } = files;
  if (typeof certfile !== "string") throw new OptionError("sslOptions needs a certfile");
  const cert = readCertificates("certfile", certfile);
  const key = readFile("keyfile", keyfile);
  const parsed = parse("keyfile", keyfile, "private key", () => parseKey(key, password));
  if (!new X509Certificate(cert).checkPrivateKey(parsed)) {
    throw new TLSConfigError(keyfile, `keyfile ${keyfile} is not the key of the certificate in ${certfile}`);
  }
  return password === undefined ? { cert, key } : { cert, key, passphrase: password };
}

function parseKey(key: Buffer, password: string | undefined): KeyObject {
  // Without a passphrase OpenSSL would ask the terminal for one; an empty one fails at once.
  return createPrivateKey({ key, format: "pem", passphrase: password ?? "" });
}

function readCertificates(option: string, path: string): Buffer {
  const text = readFile(option, path);
  parse(option, path, "certificate", () => new X509Certificate(text));
  return text;
}

/** The bytes of a file that `option` names. */
export function readFile(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new TLSConfigError(path, `cannot read ${option} ${path}: ${code}`, { cause: error });
  }
}

function parse<T>(option: string, path: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const problem = (error as Error).message.replace(/^error:[0-9A-F]+:/, "");
    throw new TLSConfigError(path, `${option} ${path} has no usable ${what} in PEM form: ${problem}`, { cause: error });
  }
}

// --- options ---

function checkedCertReqs({ certReqs = "none", caCerts }: SSLOptions): CertReqs {
  choice("certReqs", certReqs, ["none", "optional", "required"]);
  if (certReqs !== "none" && caCerts === undefined) throw new OptionError(`certReqs "${certReqs}" needs caCerts`);
  return certReqs;
}

function checkAlpn(protocols: readonly string[]): void {
  for (const name of protocols) {
    const bytes = typeof name === "string" ? Buffer.byteLength(name) : 0;
    if (bytes < 1 || bytes > ALPN_BYTES_MAX) throw new OptionError(`alpnProtocols has ${JSON.stringify(name)}`);
  }
}
