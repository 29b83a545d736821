// As much of SMTP as "openssl s_client -starttls smtp" speaks (RFC 5321, RFC 3207).
import { type IOStream, type SSLOptions, TCPServer } from "waterspout";

const sslOptions = JSON.parse(process.env.TLS_OPTIONS ?? "{}") as SSLOptions;

export default class SMTP extends TCPServer {
  override async handleStream(stream: IOStream): Promise<void> {
    await stream.write("220 ready\r\n");
    for (;;) {
      const line = (await stream.readUntil("\r\n", 512)).toString().trimEnd();
      if (line.startsWith("EHLO ")) await stream.write("250-server.example\r\n250 STARTTLS\r\n");
      else if (line === "STARTTLS") {
        await stream.write("220 go ahead\r\n");
        await stream.startTls({ serverSide: true, sslOptions });
      } else if (line === "QUIT") return stream.close();
      else await stream.write(`250 ${stream.tls === null ? "plain" : "secured"} ${line}\r\n`);
    }
  }
}
