"""A worker process, `python -m vtac.workers.process FD`: calls what comes through a pipe until that is closed."""

from __future__ import annotations

import pickle
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from typing import cast

_Call = tuple[Callable[..., object], Sequence[object], Mapping[str, object]]


def serve(pipe: Connection) -> None:
    """Answer calls, one after the other, each with whether it returned and what it returned or raised."""
    pipe.send_bytes(b"ready")
    while True:
        try:
            pipe.send_bytes(_answer(pipe.recv_bytes()))
        except (EOFError, OSError):  # who asked is gone
            return


def _answer(payload: bytes) -> bytes:
    try:
        function, args, kwargs = cast(_Call, pickle.loads(payload))
        return pickle.dumps((True, function(*args, **kwargs)))
    except Exception as error:
        return _raised(error)


def _raised(error: Exception) -> bytes:
    """An exception as an answer; one that does not come through a pipe as it is by its text."""
    try:
        answer = pickle.dumps((False, error))
        pickle.loads(answer)
    except Exception:
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
    return answer


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(Connection(int(sys.argv[1])))
