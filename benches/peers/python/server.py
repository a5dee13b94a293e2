"""python-socketio on uvicorn with uvloop, answering what examples/bench_server.rs does."""

import os

import socketio
import uvicorn

BACKLOG = 4096

# In the order in which they come, without a task for each.
io = socketio.AsyncServer(async_mode="asgi", async_handlers=False)


@io.event
async def msg(sid, x):
    await io.emit("msg", x, to=sid)


@io.event
async def bcast(sid, x):
    await io.emit("bcast", x)


@io.event
async def join(sid, room):
    await io.enter_room(sid, room)


@io.event
async def room(sid, room, x):
    await io.emit("room", x, room=room)


uvicorn.run(
    socketio.ASGIApp(io),
    host="127.0.0.1",
    port=int(os.environ.get("PORT", "3000")),
    loop="uvloop",
    http="httptools",
    ws="websockets-sansio",
    backlog=BACKLOG,
    access_log=False,
    log_level="error",
    lifespan="off",
)
