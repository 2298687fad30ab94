"""What the peers in Python share: a command comes in a line of JSON on standard input, an event
goes out in one on standard output. See doc.go for what they say."""

import asyncio
import base64
import json
import sys
import zlib


def tell(**event):
    """Tells of an event, together with others of the same moment."""
    if not waiting:
        asyncio.get_running_loop().call_soon(flush)
    waiting.append(json.dumps(event) + "\n")


def flush():
    sys.stdout.write("".join(waiting))
    sys.stdout.flush()
    waiting.clear()


waiting = []


def message(id, data):
    """Returns the event for a message that has arrived."""
    event = dict(event="message", id=id, type="text" if isinstance(data, str) else "binary")
    content = data.encode() if isinstance(data, str) else data
    if len(content) > 1 << 16:
        return dict(event, size=len(content), crc32=zlib.crc32(content))
    return dict(event, data=data if isinstance(data, str) else base64.b64encode(data).decode())


def content(command):
    """Returns what a command wants sent."""
    data = base64.b64decode(command["data"]) if command["type"] == "binary" else command["data"]
    return data * command["times"]


async def serve(version, peer):
    """Tells the version of the package, and calls the method that a command names until the input ends.
    A method may go on as a task, as of a dial, while what is to be sent keeps its order."""
    tell(event="ready", version=version)
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        try:
            await getattr(peer, command["do"])(command)
        except Exception as error:  # whatever it is, the test shall hear
            tell(event="failed", id=command["id"], error=repr(error))
