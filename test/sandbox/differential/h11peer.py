"""h11 behind a pipe: python3 h11peer.py FOLDER_WITH_H11

Reads cases from stdin, each a size (4 bytes, the highest first) and so many bytes of a connection; writes for each a line of
JSON, the outcome as outcome.ts has it. Requests are answered with 404, so that nothing is upgraded and no tunnel begins.
"""

import json
import struct
import sys

sys.path.insert(0, sys.argv[1])
import h11  # noqa: E402


def run(data):
    steps = []
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 17)
    try:
        if data:
            connection.receive_data(data)
        while request := read_request(connection, steps):
            steps.append(request)
            connection.send(h11.Response(status_code=404, headers=[("Content-Length", "0")]))
            connection.send(h11.EndOfMessage())
            request["keepAlive"] = connection.our_state is h11.DONE and connection.their_state is h11.DONE
            if not request["keepAlive"]:
                break
            connection.start_next_cycle()
    except h11.RemoteProtocolError as error:
        steps.append({"kind": "refused", "reason": str(error)})
    return steps


def read_request(connection, steps):
    request = None
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if request:
                steps.append({"kind": "needs body"})
            elif connection.trailing_data[0]:
                steps.append({"kind": "needs head"})
            return None
        if type(event) is h11.Request:
            method, target = event.method.decode("latin1"), event.target.decode("latin1")
            request = {"kind": "message", "method": method, "target": target, "body": ""}
        elif type(event) is h11.Data:
            request["body"] += bytes(event.data).hex()
        elif type(event) is h11.EndOfMessage:
            return request


while size := sys.stdin.buffer.read(4):
    data = sys.stdin.buffer.read(struct.unpack(">I", size)[0])
    print(json.dumps(run(data)), flush=True)
