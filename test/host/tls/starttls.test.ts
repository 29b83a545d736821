// A stream's TLS over a scripted sandbox: what goes in and out of the bridge, and what is not believed.
import { Duplex } from "node:stream";
import tls from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import { type IOStream, TCPServer, TLSContexts } from "../../../host/index.js";
import { missingOpenSSL, useCertificate } from "../../e2e/support/certificates.js";
import { FakeWorker, frame, idOf, u16, u32 } from "../support/fakeworker.js";

const ID = idOf(0);

describe.skipIf(missingOpenSSL !== null)(missingOpenSSL ?? "startTls over the bridge", () => {
  const made = useCertificate();

  function open(): { worker: FakeWorker; stream: IOStream } {
    let opened: IOStream | null = null;
    class Server extends TCPServer {
      override handleStream(stream: IOStream): void {
        opened = stream;
      }
    }
    const worker = new FakeWorker((logger) => new Server({ logger }).acceptor());
    worker.ready().emit(frame(f.FRAME_OPEN, ID, u32(9, 0)));
    return { worker, stream: opened as unknown as IOStream };
  }

  const serverSide = () => ({ serverSide: true, sslOptions: made.certificate });

  /** A client behind the worker: it answers READ_RAW with what the client has sent, and gives it what is written. */
  function client(worker: FakeWorker): { socket: tls.TLSSocket; others: [number, string][] } {
    const sent: Buffer[] = [];
    const others: [number, string][] = [];
    let asked = false;
    const duplex = new Duplex({
      read() {},
      write(bytes, _encoding, done) {
        for (let at = 0; at < bytes.length; at += 65536) sent.push(bytes.subarray(at, at + 65536));
        done();
      },
    });
    const socket = tls.connect({ socket: duplex, ca: made.authority.pem, servername: "server.example" });
    let stopped = false;
    const turn = async (): Promise<void> => {
      while (!stopped) {
        for (const { type, payload } of await worker.receivedAnswers()) {
          if (type === f.FRAME_READ_RAW) asked = true;
          else if (type === f.FRAME_WRITE) {
            duplex.push(payload);
            worker.emit(frame(f.FRAME_SENT, ID, u32(payload.length)));
          } else others.push([type, payload.toString()]);
        }
        if (asked && sent.length > 0) {
          asked = false;
          worker.emit(frame(f.FRAME_RAW, ID, sent.shift()));
        }
      }
    };
    void turn();
    onTestFinished(() => {
      stopped = true;
    });
    return { socket, others };
  }

  describe("bytes", () => {
    test("plaintext is fed when a read asks for it, as much as it may need; what is written is encrypted", async () => {
      const { worker, stream } = open();
      const { socket, others } = client(worker);
      await stream.startTls(serverSide());
      socket.write("hello\nmore");
      await expect.poll(() => others).toEqual([[f.FRAME_START_TLS, ""]]);
      const line = stream.readUntil("\n", 100);
      await expect.poll(() => others.slice(1).map(([type]) => type)).toEqual([f.FRAME_READ_UNTIL, f.FRAME_FEED]);
      expect(others[2]?.[1]).toBe("hello\nmore");
      worker.emit(frame(f.FRAME_DATA_END, ID, "hello\n"));
      expect((await line).toString()).toBe("hello\n");
      await stream.write("answer");
      expect(socket.read()?.toString()).toBe("answer");
      const rest = stream.readBytes(4);
      worker.emit(frame(f.FRAME_DATA_END, ID, "more"));
      expect((await rest).toString()).toBe("more");
      socket.end();
      await expect.poll(() => others.slice(3).map(([type]) => type)).toEqual([f.FRAME_READ_BYTES, f.FRAME_FEED_END]);
    });

    test("what the sandbox has and the handler has not read stays below what a read may need", async () => {
      const { worker, stream } = open();
      const { socket, others } = client(worker);
      await stream.startTls(serverSide());
      socket.write(Buffer.alloc(8 << 20));
      const fed = () =>
        others.filter(([type]) => type === f.FRAME_FEED).reduce((sum, [, text]) => sum + text.length, 0);
      await new Promise((resolve) => setTimeout(resolve, 50)); // nothing must be fed meanwhile
      expect(fed()).toBe(0);
      void stream.readBytes(8 << 20).catch(() => {});
      await expect.poll(fed).toBeGreaterThanOrEqual(256 << 10);
      await new Promise((resolve) => setTimeout(resolve, 50)); // no more must be fed meanwhile
      expect(fed()).toBeLessThanOrEqual(512 << 10);
      stream.abort();
    });
  });

  describe("bounds", () => {
    test("RAW that the host has not asked for ends the worker", async () => {
      const plain = open();
      plain.worker.emit(frame(f.FRAME_RAW, ID, "x"));
      expect(plain.worker.failure?.message).toContain("RAW that the host has not asked for");
      const { worker, stream } = open();
      const starting = stream.startTls(serverSide());
      await worker.received();
      worker.emit(frame(f.FRAME_RAW, ID, "\x16\x03"), frame(f.FRAME_RAW_FAILED, ID, u16(2)));
      expect(worker.killed).toBe(true);
      await expect(starting).rejects.toMatchObject({ code: "STREAM_CLOSED" });
    });

    test("neither reads nor writes while it is under way; close ends it", async () => {
      const { worker, stream } = open();
      const starting = stream.startTls(serverSide());
      for (const use of [stream.readUntil("\n"), stream.write("x"), stream.startTls(serverSide())]) {
        await expect(use).rejects.toMatchObject({ code: "STREAM_NOT_IDLE" });
      }
      stream.close();
      await expect(starting).rejects.toMatchObject({ code: "STREAM_CLOSED", reason: "CLOSED" });
      const types = (await worker.receivedAnswers()).map(({ type }) => type);
      expect(types).toEqual([f.FRAME_START_TLS, f.FRAME_CLOSE]);
    });

    test("wrong options leave the stream as it is", async () => {
      const { worker, stream } = open();
      for (const options of [
        {},
        { serverSide: true },
        { serverSide: true, sslOptions: { certfile: "/nowhere.pem" } },
        { sslOptions: new TLSContexts(made.certificate) },
        { ...serverSide(), timeoutMs: 0 },
        { ...serverSide(), timeoutMs: 600_001 },
      ]) {
        await expect(stream.startTls(options)).rejects.toMatchObject({
          code: expect.stringMatching(/INVALID_OPTION|TLS_CONFIG/),
        });
      }
      expect(await worker.receivedAnswers()).toEqual([]);
      expect(stream.closed).toBe(false);
    });

    test("beyond so many peers that say nothing the oldest has to go", { timeout: 60_000 }, async () => {
      const streams = Array.from({ length: 2049 }, () => open().stream);
      const sslOptions = new TLSContexts(made.certificate);
      const all = streams.map((stream) =>
        stream.startTls({ serverSide: true, sslOptions }).then(
          () => "agreed",
          (error) => error.message as string,
        ),
      );
      expect(await all[0]).toBe("the TLS handshake failed: too many are under way");
      for (const stream of streams) stream.abort();
      expect(new Set((await Promise.all(all)).slice(1))).toEqual(
        new Set(["the stream is closed: it was closed on this side"]),
      );
    });
  });
});
