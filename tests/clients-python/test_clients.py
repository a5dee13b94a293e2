"""python-socketio against a real server, over every transport.

The asynchronous client does all of it. The one with threads handles each message on a thread of its own, so that
bytes may overtake the event they belong to (python-engineio's `_receive_packet`): it is asked for text only.
Nothing here waits for a time to pass: each wait is for an event, and its deadline only says when to stop hoping.
"""

import asyncio
import queue
import unittest

import socketio

from server import Server

WITHIN_S = 10
VALUES = [None, True, -1.5, 'てすと 🚢 \u0000"', [1, [2]], {"a": {"b": []}}]
EVERY_BYTE = bytes(range(256))
RECONNECTION = {"reconnection_delay": 0.05, "reconnection_delay_max": 0.2, "randomization_factor": 0}


class Heard(asyncio.Queue):
    """The arguments of each event of one name, in the order they came."""

    def __init__(self, client, event, namespace="/"):
        super().__init__()
        client.on(event, self._came, namespace=namespace)

    async def _came(self, *args):
        self.put_nowait(list(args))

    async def next(self):
        return await asyncio.wait_for(self.get(), WITHIN_S)


class Scenarios:
    """What is asked of the asynchronous client; `transports` says how it speaks."""

    transports = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.kill)

    def make(self, **options):
        client = socketio.AsyncClient(**{"reconnection": False, "handle_sigint": False, **options})
        self.addAsyncCleanup(client.shutdown)
        return client

    async def enter(self, client, server=None, **options):
        url = (server or self.server).url
        await client.connect(url, transports=self.transports, wait_timeout=WITHIN_S, **options)
        self.assertEqual(client.transport(), (self.transports or ["websocket"])[-1])

    async def connected(self, **options):
        client = self.make()
        await self.enter(client, **options)
        return client

    def ask(self, client, event, *args, namespace="/"):
        return client.call(event, args, namespace=namespace, timeout=WITHIN_S)

    def carries(self, args, said):
        """What was said is there; after it a server that can recover connections adds its offset."""
        self.assertEqual(args[: len(said)], said)

    async def test_client_and_server_agree_on_the_sockets_id(self):
        client = await self.connected()
        self.assertEqual(await self.ask(client, "getId"), client.get_sid())

    async def test_events_keep_their_values_and_their_order(self):
        client = await self.connected()
        heard = Heard(client, "echo-event")
        said = [[], VALUES, ["last"]]
        for args in said:
            await client.emit("echo-event", tuple(args))
        for args in said:
            self.carries(await heard.next(), args)

    async def test_bytes_go_there_and_back_alone_nested_and_none(self):
        client = await self.connected()
        heard = Heard(client, "echo-event")
        for args in [[EVERY_BYTE], [{"parts": [{"body": EVERY_BYTE}, "between", b"tail"]}], [b"", "after none"]]:
            await client.emit("echo-event", tuple(args))
            self.carries(await heard.next(), args)

    async def test_the_server_acknowledges_with_values_and_with_bytes(self):
        client = await self.connected()
        said = (1, {"two": [2]}, b"3")
        self.assertEqual(await self.ask(client, "echo", *said), said)
        self.assertEqual(await self.ask(client, "echo", VALUES), VALUES)

    async def test_the_client_acknowledges_with_values_and_with_bytes(self):
        client = await self.connected()

        async def answer(question):
            return question, [b"bytes"]

        client.on("question", answer)
        outcome = await self.ask(client, "server-ack", WITHIN_S * 1000, "question", "why?")
        self.assertEqual(outcome, {"values": ["why?", [b"bytes"]]})

    async def test_large_text_and_large_bytes_come_down_whole(self):
        client = await self.connected()
        self.assertEqual(await self.ask(client, "big", "text", 700_000), "a" * 700_000)
        self.assertEqual(await self.ask(client, "big", "binary", 700_000), b"a" * 700_000)

    async def test_a_broadcast_reaches_the_room_and_nobody_else(self):
        speaker, member, stranger = [await self.connected() for _ in range(3)]
        await self.ask(member, "join", "deck")
        heard, strays = Heard(member, "news"), Heard(stranger, "news")
        await self.ask(speaker, "to", {"rooms": ["deck"]}, "news", "to the room")
        await self.ask(speaker, "to", {"rooms": [member.get_sid()]}, "news", "to you", b"alone")
        self.carries(await heard.next(), ["to the room"])
        self.carries(await heard.next(), ["to you", b"alone"])
        await self.ask(stranger, "echo", "settled")
        self.assertTrue(strays.empty())

    async def test_namespaces_share_a_connection_each_with_an_id_of_its_own(self):
        client = self.make()
        main, foo = Heard(client, "echo-event"), Heard(client, "echo-event", "/foo")
        await self.enter(client, namespaces=["/", "/foo"])
        ids = [await self.ask(client, "getId", namespace=name) for name in ["/", "/foo"]]
        self.assertEqual(ids, [client.get_sid(), client.get_sid("/foo")])
        self.assertNotEqual(*ids)
        await client.emit("echo-event", "only here", namespace="/foo")
        self.carries(await foo.next(), ["only here"])
        await self.ask(client, "echo", "settled")
        self.assertTrue(main.empty())

    async def test_a_namespace_that_is_not_there_is_refused(self):
        client = self.make()
        refused = Heard(client, "connect_error", "/nowhere")
        with self.assertRaisesRegex(socketio.exceptions.ConnectionError, "/nowhere"):
            await self.enter(client, namespaces=["/nowhere"])
        self.assertEqual(await refused.next(), [{"message": "Invalid namespace"}])

    async def test_who_may_not_come_in_learns_why_and_who_may_is_let_in(self):
        client = self.make()
        refused = Heard(client, "connect_error", "/auth")
        with self.assertRaises(socketio.exceptions.ConnectionError):
            await self.enter(client, namespaces=["/auth"], auth={"token": "guess"})
        why = {"message": "not authorized", "data": {"code": 401, "need": ["token"]}}
        self.assertEqual(await refused.next(), [why])

        member = self.make()
        welcome = Heard(member, "welcome", "/auth")
        await self.enter(member, namespaces=["/auth"], auth={"token": "secret", "user": "bo"})
        self.carries(await welcome.next(), [{"user": "bo", "second": True}])

    async def test_the_server_ends_a_connection(self):
        client = self.make()
        left = Heard(client, "disconnect")
        await self.enter(client)
        await client.emit("disconnect-me", True)
        self.assertEqual(await left.next(), [client.reason.SERVER_DISCONNECT])

    async def test_who_leaves_is_gone(self):
        client, witness = await self.connected(), await self.connected()
        sid = client.get_sid()
        await client.disconnect()
        async with asyncio.timeout(WITHIN_S):
            while not (left := await self.ask(witness, "last-disconnect", sid)):
                pass
        self.assertIn(left["reason"], ["client namespace disconnect", "transport close"])

    async def test_a_server_that_died_is_found_again(self):
        mortal = Server()
        self.addCleanup(lambda: mortal.kill())
        client = self.make(reconnection=True, **RECONNECTION)
        came, left = Heard(client, "connect"), Heard(client, "disconnect")
        await self.enter(client, mortal)
        await came.next()
        before = client.get_sid()
        mortal.kill()
        self.assertEqual(await left.next(), [client.reason.TRANSPORT_ERROR])
        mortal.start()
        await came.next()
        self.assertNotEqual(client.get_sid(), before)
        self.assertEqual(await self.ask(client, "echo", "again"), "again")


class OverPolling(Scenarios, unittest.IsolatedAsyncioTestCase):
    transports = ["polling"]


class OverWebSocket(Scenarios, unittest.IsolatedAsyncioTestCase):
    transports = ["websocket"]


class OverUpgrade(Scenarios, unittest.IsolatedAsyncioTestCase):
    transports = None


class WithThreads(unittest.TestCase):
    """The client that most programs use: it connects, speaks, answers, and finds a server that died."""

    def test_over_polling(self):
        self.live(["polling"])

    def test_over_websocket(self):
        self.live(["websocket"])

    def test_over_upgrade(self):
        self.live(None)

    def live(self, transports):
        server = Server()
        self.addCleanup(lambda: server.kill())
        client = socketio.Client(handle_sigint=False, **RECONNECTION)
        self.addCleanup(client.shutdown)
        came, heard = queue.Queue(), queue.Queue()
        client.on("connect", lambda: came.put(True))
        client.on("echo-event", lambda *args: heard.put(list(args)))
        client.on("question", lambda question: (question, "because"))
        client.connect(server.url, transports=transports, wait_timeout=WITHIN_S)
        came.get(timeout=WITHIN_S)
        self.assertEqual(client.transport(), (transports or ["websocket"])[-1])

        self.assertEqual(client.call("getId", timeout=WITHIN_S), client.get_sid())
        client.emit("echo-event", tuple(VALUES))
        self.assertEqual(heard.get(timeout=WITHIN_S)[: len(VALUES)], VALUES)
        outcome = client.call("server-ack", (WITHIN_S * 1000, "question", "why?"), timeout=WITHIN_S)
        self.assertEqual(outcome, {"values": ["why?", "because"]})

        server.kill()
        server.start()
        came.get(timeout=WITHIN_S)
        self.assertEqual(client.call("echo", "again", timeout=WITHIN_S), "again")


if __name__ == "__main__":
    unittest.main()
