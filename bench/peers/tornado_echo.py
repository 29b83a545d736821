"""The Tornado peer for the stream rows: the line echo of its TCPServer's documentation.

Usage: python bench/peers/tornado_echo.py PORT
"""

import asyncio
import sys

from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpserver import TCPServer


class EchoServer(TCPServer):
    async def handle_stream(self, stream: IOStream, address: tuple) -> None:
        stream.set_nodelay(True)
        try:
            while True:
                await stream.write(await stream.read_until(b"\n", 65536))
        except StreamClosedError:
            pass


async def main() -> None:
    EchoServer().listen(int(sys.argv[1]), "127.0.0.1", backlog=511)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
