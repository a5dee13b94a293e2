"""A server under test: the conformance example as a process of its own, on ports nobody else uses.

`ROOMCAST_CONFORMANCE` names another command that keeps the same contract.
"""

import os
import random
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
COMMAND = os.environ.get("ROOMCAST_CONFORMANCE", str(TARGET / "debug/examples/conformance")).split()
HOST = "127.0.0.1"
# One port for each profile of the example; the tests here use the third.
PORTS = 7
MAIN = 2
READY_WITHIN_S = 10


class Server:
    """Starts when it is made."""

    def __init__(self):
        self._base = _free_ports()
        self.start()

    @property
    def url(self):
        return f"http://{HOST}:{self._base + MAIN}"

    def start(self):
        """Starts it, on the ports it had before if it ran before, and waits until it listens."""
        environment = os.environ | {"CONF_BASE_PORT": str(self._base), "CONF_HOST": HOST}
        self._process = subprocess.Popen(COMMAND, env=environment)
        give_up_at = time.monotonic() + READY_WITHIN_S
        while not self._listens():
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended with {self._process.returncode}")
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"nobody listens at {self.url}")
            time.sleep(0.02)

    def kill(self):
        """Ends it without a word, as a crash would."""
        self._process.kill()
        self._process.wait()

    def _listens(self):
        try:
            socket.create_connection((HOST, self._base + MAIN)).close()
        except OSError:
            return False
        return True


def _free_ports():
    """The first of as many ports in a row as are free. They lie below those the kernel gives to clients."""
    while True:
        base = 20_000 + 10 * random.randrange(1_000)
        if all(_is_free(base + offset) for offset in range(PORTS)):
            return base


def _is_free(port):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True
