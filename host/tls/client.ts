/**
 * TLS as a client, over any connection.
 *
 * Invariant: a promise that rejects has closed its connection, and an abort does that at once.
 */
import net from "node:net";
import type { Duplex } from "node:stream";
import type tls from "node:tls";
import { choice } from "../core/check.js";
import { ConnectError, OptionError } from "../core/errors.js";
import { settleOnce } from "../core/settleonce.js";
import { noteTLS, readFile } from "./contexts.js";
import { nodeTLS } from "./nodetls.js";

/** TLS as a client, in the shape of Python's `ssl_options`. */
export interface ClientSSLOptions {
  /** Path of the certificates, in PEM form, that the server's is verified with. Default: those that Node comes with. */
  caCerts?: string | undefined;
  /** `"none"` takes any certificate, so that an attacker on the way can read along. Default `"required"`. */
  certReqs?: "none" | "required" | undefined;
  /** Path of our own certificate in PEM form, where the server asks for one. */
  certfile?: string | undefined;
  /** Path of its private key. Default: `certfile`, which then holds both. */
  keyfile?: string | undefined;
  /** The name that the server's certificate has to be for. Default: the host that is connected to. */
  serverName?: string | undefined;
  /** Protocols that are offered by ALPN, the preferred one first. */
  alpnProtocols?: readonly string[] | undefined;
}

/**
 * TLS over a connection; `tlsOf` knows of what it resolves with. Rejects with ConnectError, or with the reason of
 * `signal`; then the connection is closed.
 */
export async function handshake(
  socket: Duplex,
  options: tls.ConnectionOptions,
  host: string,
  signal: AbortSignal,
): Promise<Duplex> {
  try {
    return await new Promise<Duplex>((resolve, reject) => {
      const secured = nodeTLS().connect({ ...options, socket });
      // At once: when the promise's callback runs, the peer may have closed the connection, and its TLS facts would be
      // gone.
      const certReqs = options.rejectUnauthorized === false ? "none" : "required";
      secured.once("secureConnect", () => noteTLS(secured, certReqs));
      settleOnce(secured, "secureConnect", signal, resolve, reject);
    });
  } catch (error) {
    socket.destroy();
    if (signal.aborted) throw error;
    const { code = "TLS", message } = error as NodeJS.ErrnoException;
    throw new ConnectError(code, `the TLS handshake with ${host} failed: ${message}`, { cause: error });
  }
}

/** What node:tls wants to know. Throws TLSConfigError for a file that cannot be read. */
export function readSSLOptions(host: string, options: ClientSSLOptions): tls.ConnectionOptions {
  const { caCerts, certReqs = "required", certfile, keyfile = certfile, alpnProtocols } = options;
  choice("certReqs", certReqs, ["none", "required"]);
  if (keyfile !== undefined && certfile === undefined) throw new OptionError("keyfile needs a certfile");
  const serverName = options.serverName ?? host;
  return {
    rejectUnauthorized: certReqs === "required",
    ...(net.isIP(serverName) === 0 ? { servername: serverName } : {}),
    checkServerIdentity: (_name, certificate) => nodeTLS().checkServerIdentity(serverName, certificate),
    ...(caCerts === undefined ? {} : { ca: readFile("caCerts", caCerts) }),
    ...(certfile === undefined ? {} : { cert: readFile("certfile", certfile) }),
    ...(keyfile === undefined ? {} : { key: readFile("keyfile", keyfile) }),
    ...(alpnProtocols === undefined ? {} : { ALPNProtocols: [...alpnProtocols] }),
    minVersion: "TLSv1.2",
  };
}
