// Certificates for tests, made when they are needed by the openssl command, which Debian's ca-certificates bring along.
// Where it or HAProxy is missing, tests that need it are skipped, and their name says why.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";

/** Why no certificates can be made; null: they can. */
export const missingOpenSSL = whyNot("openssl", ["version"], "no openssl command: certificates cannot be made");
/** Why there is no proxy; null: there is one. */
export const missingHAProxy = whyNot("haproxy", ["-v"], "no haproxy command (.ci/run installs it)");

export interface Certificate {
  certfile: string;
  keyfile: string;
}

const KEYS = {
  ec: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
  rsa: ["-newkey", "rsa:2048"],
};
type Key = keyof typeof KEYS;

/** A folder with an authority, and what it has signed. */
export class Authority {
  readonly folder = mkdtempSync(path.join(tmpdir(), "waterspout-certificates-"));
  readonly certfile: string;
  readonly #keyfile: string;
  #serial = 1;

  constructor() {
    this.certfile = path.join(this.folder, "ca.pem");
    this.#keyfile = path.join(this.folder, "ca.key");
    this.#request("ca", "/CN=Test authority");
    const signed = ["x509", "-req", "-in", this.#path("ca.csr"), "-signkey", this.#keyfile, "-days", "2"];
    openssl([...signed, "-extfile", this.#extensions("ca", "basicConstraints=CA:TRUE"), "-out", this.certfile]);
  }

  get pem(): Buffer {
    return readFileSync(this.certfile);
  }

  /** A certificate for `name`; what was made for that file before is replaced. */
  issue(file: string, name: string, key: Key = "ec"): Certificate {
    this.#request(file, `/CN=${name}`, key);
    const certfile = this.#path(`${file}.pem`);
    const by = ["-CA", this.certfile, "-CAkey", this.#keyfile, "-set_serial", String(++this.#serial), "-days", "2"];
    const names = this.#extensions(file, `subjectAltName=DNS:${name},IP:127.0.0.1`);
    openssl(["x509", "-req", "-in", this.#path(`${file}.csr`), ...by, "-extfile", names, "-out", certfile]);
    return { certfile, keyfile: this.#path(`${file}.key`) };
  }

  /** A file with that text. */
  write(file: string, text: string | Buffer): string {
    writeFileSync(this.#path(file), text);
    return this.#path(file);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #request(file: string, subject: string, key: Key = "ec"): void {
    const to = ["-nodes", "-keyout", this.#path(`${file}.key`), "-out", this.#path(`${file}.csr`)];
    openssl(["req", "-new", ...KEYS[key], "-subj", subject, ...to]);
  }

  #extensions(file: string, text: string): string {
    return this.write(`${file}.ext`, `${text}\n`);
  }

  #path(file: string): string {
    return path.join(this.folder, file);
  }
}

interface Certified {
  authority: Authority;
  /** For server.example. */
  certificate: Certificate;
}

/** An authority and a certificate of its own, for the tests of the block that calls this. They are made before them. */
export function useCertificate(): Certified {
  const made: Partial<Certified> = {};
  beforeAll(() => {
    made.authority = new Authority();
    made.certificate = made.authority.issue("server", "server.example");
  });
  afterAll(() => made.authority?.remove());
  return made as Certified;
}

function openssl(args: string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}

function whyNot(command: string, args: string[], reason: string): string | null {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return null;
  } catch {
    return reason;
  }
}
