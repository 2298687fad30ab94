"""The peer of Python's aiohttp, as client and server."""

import asyncio

import aiohttp
from aiohttp import web

from lines import content, message, serve, tell


class Peer:
    def __init__(self):
        self.sockets, self.transports, self.servers, self.closing, self.tasks = {}, {}, {}, {}, set()

    async def talk(self, id, socket, transport, protocol):
        self.sockets[id], self.transports[id] = socket, transport
        tell(event="open", id=id, protocol=protocol or "", compressed=bool(socket.compress))
        while True:
            got = await socket.receive()
            if got.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                tell(**message(id, got.data))
            elif got.type == aiohttp.WSMsgType.PING:
                await socket.pong(got.data)
            elif got.type == aiohttp.WSMsgType.PONG:
                tell(event="pong", id=id, data=bytes(got.data).decode())
            elif got.type == aiohttp.WSMsgType.CLOSE:
                tell(event="close", id=id, code=got.data or 1005, reason=got.extra)
                break
            else:  # CLOSING by a close of its own, CLOSED, or an error
                if id in self.closing:
                    await self.closing[id]
                tell(event="close", id=id, code=socket.close_code or 1006, reason="")
                break

    async def listen(self, command):
        id = command["id"]

        async def handle(request):
            # Without autoping it tells of pongs, and pings are answered above.
            socket = web.WebSocketResponse(
                protocols=command["protocols"], compress=command["deflate"] is not None, autoping=False)
            await socket.prepare(request)
            await self.talk(id, socket, request.transport, socket.ws_protocol)
            return socket

        runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0)
        await runner.setup()
        self.servers[id] = runner
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        tell(event="listening", id=id, port=runner.addresses[0][1])

    async def dial(self, command):
        task = asyncio.ensure_future(self.dialled(command))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def dialled(self, command):
        id, deflate = command["id"], command["deflate"]
        compress = 0 if deflate is None else deflate.get("client_max_window_bits", 15)
        try:
            async with aiohttp.ClientSession() as session, session.ws_connect(
                command["url"], protocols=command["protocols"], compress=compress, autoping=False,
            ) as socket:
                await self.talk(id, socket, socket._response.connection.transport, socket.protocol)
        except Exception as error:
            tell(event="failed", id=id, error=repr(error))

    async def send(self, command):
        data, socket = content(command), self.sockets[command["id"]]
        await (socket.send_str(data) if isinstance(data, str) else socket.send_bytes(data))

    async def count(self, command):
        for i in range(command["to"]):
            await self.sockets[command["id"]].send_str(str(i))

    async def ping(self, command):
        for text in command["texts"]:
            await self.sockets[command["id"]].ping(text.encode())

    async def close(self, command):
        id = command["id"]
        closing = self.sockets[id].close(code=command["code"], message=command["reason"].encode())
        self.closing[id] = asyncio.ensure_future(closing)

    async def cut(self, command):
        self.transports[command["id"]].abort()

    async def forget(self, command):
        id = command["id"]
        if id in self.transports:
            self.transports[id].abort()
        if id in self.servers:
            await self.servers[id].cleanup()


asyncio.run(serve(aiohttp.__version__, Peer()))
