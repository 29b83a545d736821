"""The peer for posts, transfers and websockets: Tornado, on one port of the loopback interface.

Usage: python bench/peers/tornado_site.py PORT
"""

import asyncio
import sys

import tornado.httpserver
import tornado.web
import tornado.websocket

PIECE = b"x" * 65536
SIZES = {"1m": 1 << 20, "1g": 1 << 30}


class HelloHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/plain")
        self.write("Hello, world")


class EchoHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        self.set_header("Content-Type", "application/octet-stream")
        self.write(self.request.body)


class DownloadHandler(tornado.web.RequestHandler):
    async def get(self, name: str) -> None:
        size = SIZES[name]
        self.set_header("Content-Type", "text/plain")
        self.set_header("Content-Length", str(size))
        for _ in range(size // len(PIECE)):
            self.write(PIECE)
            await self.flush()


@tornado.web.stream_request_body
class UploadHandler(tornado.web.RequestHandler):
    def initialize(self) -> None:
        self.bytes = 0

    def data_received(self, chunk: bytes) -> None:
        self.bytes += len(chunk)

    def post(self) -> None:
        self.set_header("Content-Type", "text/plain")
        self.write(str(self.bytes))


class WebSocketEcho(tornado.websocket.WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message, binary=isinstance(message, bytes))


async def main() -> None:
    application = tornado.web.Application(
        [
            ("/", HelloHandler),
            ("/echo", EchoHandler),
            ("/download/(1m|1g)", DownloadHandler),
            ("/upload", UploadHandler),
            ("/ws", WebSocketEcho),
        ]
    )
    server = tornado.httpserver.HTTPServer(application, max_body_size=1 << 40)
    server.listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
