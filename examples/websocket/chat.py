#!/usr/bin/python3
"""A room to chat in: what somebody says, everybody hears. chat.py PORT (0 takes a free one).
Debian: python3-websockets."""
import asyncio
import sys

import websockets

room = set()


async def join(socket, *_):
    room.add(socket)
    try:
        async for message in socket:
            websockets.broadcast(room, message)
    finally:
        room.remove(socket)


async def main():
    async with websockets.serve(join, "127.0.0.1", int(sys.argv[1]),
                                subprotocols=["chat.v1"]) as server:
        print(f"chat on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
