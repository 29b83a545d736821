// What tls.test.ts serves: a stream server whose first line says what TLS has agreed on, and then echoes all bytes. It
// takes its options from the environment, and reads its certificates again on the line "reload".
import { type Address, type IOStream, type ServerOptions, TCPServer } from "waterspout";

const options = JSON.parse(process.env.SERVER_OPTIONS ?? "{}") as ServerOptions;

export default class Secure extends TCPServer {
  constructor(given: ServerOptions) {
    super({ ...options, ...given });
  }

  override async handleStream(stream: IOStream, address: Address | null): Promise<void> {
    const { tls } = stream;
    const told = tls && { ...tls, peerCertificate: tls.peerCertificate?.subject ?? null };
    await stream.write(`${JSON.stringify({ address, tls: told })}\n`);
    const first = (await stream.readUntil("\n")).toString();
    if (first === "reload\n") {
      try {
        this.reloadCertificates();
        await stream.write("reloaded\n");
      } catch (error) {
        await stream.write(`${(error as { code: string }).code} ${(error as Error).message}\n`);
      }
      return stream.close();
    }
    for await (const block of stream) await stream.write(block);
    stream.close();
  }
}
