"""The Tornado peer: the hello world of its own documentation, on one port of the loopback interface.

Usage: python bench/peers/tornado_server.py PORT
"""

import asyncio
import sys

import tornado.web


class HelloHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/plain")
        self.write("Hello, world")


async def main() -> None:
    application = tornado.web.Application([("/", HelloHandler)])
    application.listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
