"""What a timer of Tornado's IOLoop costs while many are armed: bench/peers/timers.mjs says what is measured.

Usage: python bench/peers/tornado_timers.py ROUNDS
"""

import asyncio
import json
import random
import sys
import time

from tornado.ioloop import IOLoop

ARMED = [1_000, 10_000, 100_000]
TIMES = 10_000


def delay() -> float:
    return 1_000 + random.random() * 1_000


def arm(loop: IOLoop, count: int) -> None:
    for _ in range(count):
        loop.call_later(delay(), nothing)


def churn(loop: IOLoop) -> None:
    for _ in range(TIMES):
        loop.remove_timeout(loop.call_later(delay(), nothing))


async def fire(loop: IOLoop) -> None:
    left = TIMES
    done = asyncio.Event()

    def tick() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            done.set()

    for _ in range(TIMES):
        loop.call_later(0, tick)
    await done.wait()


def nothing() -> None:
    pass


async def main(rounds: int) -> None:
    loop = IOLoop.current()
    result = {}
    armed = 0
    for count in ARMED:
        arm(loop, count - armed)
        armed = count
        pairs, fires = [], []
        for _ in range(rounds):
            began = time.perf_counter_ns()
            churn(loop)
            await asyncio.sleep(0)  # what was cancelled is taken out of the heap now
            pairs.append((time.perf_counter_ns() - began) / TIMES)
            began = time.perf_counter_ns()
            await fire(loop)
            fires.append((time.perf_counter_ns() - began) / TIMES)
        result[f"pair{count}"] = min(pairs)
        result[f"fire{count}"] = min(fires)
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
