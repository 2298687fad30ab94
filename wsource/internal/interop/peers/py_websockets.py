"""The peer of Python's websockets, as client and server."""

import asyncio

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

from lines import content, message, serve, tell

common = dict(compression=None, ping_interval=None, max_size=1 << 20)


class Peer:
    def __init__(self):
        self.sockets, self.servers, self.tasks = {}, {}, set()

    def start(self, work):
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def talk(self, id, socket):
        self.sockets[id] = socket
        tell(event="open", id=id, protocol=socket.subprotocol or "", compressed=bool(socket.extensions))
        try:
            async for data in socket:
                tell(**message(id, data))
        except websockets.ConnectionClosed:
            pass
        await socket.wait_closed()
        tell(event="close", id=id, code=socket.close_code, reason=socket.close_reason)

    async def listen(self, command):
        id, deflate = command["id"], command["deflate"]
        extensions = [ServerPerMessageDeflateFactory(**deflate)] if deflate is not None else None
        server = await websockets.serve(
            lambda socket: self.talk(id, socket), "127.0.0.1", 0,
            subprotocols=command["protocols"] or None, extensions=extensions, **common)
        self.servers[id] = server
        tell(event="listening", id=id, port=server.sockets[0].getsockname()[1])

    async def dial(self, command):
        self.start(self.dialled(command))

    async def dialled(self, command):
        id, deflate = command["id"], command["deflate"]
        extensions = [ClientPerMessageDeflateFactory(**deflate)] if deflate is not None else None
        try:
            socket = await websockets.connect(
                command["url"], subprotocols=command["protocols"] or None, extensions=extensions, **common)
        except Exception as error:
            tell(event="failed", id=id, error=repr(error))
            return
        await self.talk(id, socket)

    async def send(self, command):
        await self.sockets[command["id"]].send(content(command))

    async def parts(self, command):
        await self.sockets[command["id"]].send(command["parts"])

    async def count(self, command):
        for i in range(command["to"]):
            await self.sockets[command["id"]].send(str(i))

    async def ping(self, command):
        id = command["id"]
        for text in command["texts"]:
            answered = await self.sockets[id].ping(text)
            answered.add_done_callback(
                lambda done, text=text: done.exception() or tell(event="pong", id=id, data=text))

    async def close(self, command):
        self.start(self.sockets[command["id"]].close(command["code"], command["reason"]))

    async def cut(self, command):
        self.sockets[command["id"]].transport.abort()

    async def forget(self, command):
        id = command["id"]
        if id in self.sockets:
            self.sockets[id].transport.abort()
        if id in self.servers:
            self.servers[id].close()


asyncio.run(serve(websockets.__version__, Peer()))
