// What starttls.test.ts serves: lines, like SMTP. "STARTTLS" answers "go" and goes on with TLS; the first line inside
// says what was agreed. "ECHO bytes" reads so many bytes and sends them back, "BLOCK bytes" sends so many and does not
// wait, "BYE" closes; any other line is answered with "plain: " or "secured: " before it. Why a stream failed is said
// to the next that says "ERROR".
import { type Address, type IOStream, type SSLOptions, TCPServer, TLSContexts, type WaterspoutError } from "waterspout";

const contexts = new TLSContexts(JSON.parse(process.env.TLS_OPTIONS ?? "{}") as SSLOptions);
let lastError = "none";

export default class StartTLS extends TCPServer {
  override async handleStream(stream: IOStream, address: Address | null): Promise<void> {
    try {
      await this.#serve(stream, address);
    } catch (error) {
      const { code, message } = error as WaterspoutError;
      lastError = `${code}: ${message}`;
    }
    stream.close();
  }

  async #serve(stream: IOStream, address: Address | null): Promise<void> {
    for (;;) {
      const line = (await stream.readUntil("\n")).toString().trimEnd();
      const [command, argument] = line.split(" ");
      if (command === "BYE") return;
      else if (command === "STARTTLS") await this.#secure(stream, address);
      else if (command === "BUSY") await this.#secureWhileBusy(stream);
      else if (command === "ERROR") await stream.write(`${lastError}\n`);
      else if (command === "RELOAD") contexts.reload();
      else if (command === "BLOCK") void stream.write(Buffer.alloc(Number(argument)));
      else if (command === "ECHO") await this.#echo(stream, Number(argument));
      else await stream.write(`${stream.tls === null ? "plain" : "secured"}: ${line}\n`);
    }
  }

  async #secure(stream: IOStream, address: Address | null): Promise<void> {
    void stream.write("go\n"); // startTls waits for it
    await stream.startTls({ serverSide: true, sslOptions: contexts });
    const tls = stream.tls && { ...stream.tls, peerCertificate: stream.tls.peerCertificate?.subject ?? null };
    await stream.write(`${JSON.stringify({ address, tls })}\n`);
  }

  async #secureWhileBusy(stream: IOStream): Promise<void> {
    const options = { serverSide: true, sslOptions: contexts };
    const line = stream.readUntil("\n");
    const code = (error: WaterspoutError): string => error.code;
    const reading = await stream.startTls(options).then(() => "none", code);
    await line;
    await stream.write(`${reading}\n`);
  }

  async #echo(stream: IOStream, bytes: number): Promise<void> {
    for (let left = bytes; left > 0; ) {
      const block = await stream.readBytes(Math.min(left, 100_000), { partial: true });
      left -= block.length;
      await stream.write(block);
    }
  }
}
