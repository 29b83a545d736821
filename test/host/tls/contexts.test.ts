// Options of TLS that cannot work: the constructor throws, and names the file.
import path from "node:path";
import { describe, expect, test } from "vitest";

import { HTTPServer } from "../../../host/server/httpserver.js";
import { TCPServer } from "../../../host/server/tcpserver.js";
import { missingOpenSSL, useCertificate } from "../../e2e/support/certificates.js";

describe.skipIf(missingOpenSSL !== null)(missingOpenSSL ?? "what is wrong is said when the server is made", () => {
  const made = useCertificate();

  const secure = (more: object) => () => new TCPServer({ sslOptions: { ...made.certificate, ...more } });

  test.each(["certfile", "keyfile", "caCerts"])("%s: missing, or no PEM", (option) => {
    const missing = path.join(made.authority.folder, "nothing");
    expect(secure({ [option]: missing })).toThrow(
      expect.objectContaining({ name: "TLSConfigError", code: "TLS_CONFIG", path: missing }),
    );
    const rubbish = made.authority.write("rubbish.pem", "rubbish");
    expect(secure({ [option]: rubbish })).toThrow(
      expect.objectContaining({ code: "TLS_CONFIG", path: rubbish, message: expect.stringContaining(rubbish) }),
    );
  });

  test("a key that is not the certificate's", () => {
    const { keyfile } = made.authority.issue("different", "different.example");
    expect(secure({ keyfile })).toThrow(expect.objectContaining({ code: "TLS_CONFIG", path: keyfile }));
  });

  test("a name's certificate", () => {
    expect(secure({ sniContexts: { "a.example": { certfile: "/nowhere.pem" } } })).toThrow(/\/nowhere\.pem/);
  });

  test.each([
    { certReqs: "required" },
    { certReqs: "some" },
    { ciphers: "NONSENSE" },
    { minVersion: "SSLv2" },
    { alpnProtocols: [""] },
    { handshakeTimeoutMs: 0 },
  ])("%j", (more) => {
    expect(secure(more)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });

  test("certificates cannot be read again where there are none", () => {
    expect(() => new HTTPServer(() => {}).reloadCertificates()).toThrow(/no sslOptions/);
  });

  test("TLS behind the PROXY protocol", () => {
    const make = () => new TCPServer({ sslOptions: made.certificate, proxyProtocol: true });
    expect(make).toThrow(/cannot be used together/);
  });
});
