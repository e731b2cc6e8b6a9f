"""Executors by name: `local`, `local:4`, `dask:tcp://host:8786`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from importlib import import_module
from importlib.util import find_spec
from typing import ParamSpec, Protocol, TypeVar, cast

from vtac.errors import ToolMissingError
from vtac.lazily import installed_version, pip_install
from vtac.workers.errors import WorkersError
from vtac.workers.processes import Processes

_P = ParamSpec("_P")
_R = TypeVar("_R")
_MOST = 4096
_FORMS = "'local' (a process for each core), 'local:N', 'dask:ADDRESS' (a scheduler's, such as dask:tcp://host:8786)"


class _Client(Protocol):
    """What is used of a `distributed.Client`."""

    def get_executor(self, *, pure: bool) -> Executor: ...
    def run(self, function: Callable[[], tuple[str, str]]) -> Mapping[str, tuple[str, str]]: ...
    def close(self) -> None: ...


class DaskExecutor(Executor):
    """The workers of a Dask scheduler, with the connection to it.

    Until it is closed Dask's client logs nothing: of a scheduler that is gone tasks say so, in one message.
    """

    def __init__(self, client: _Client, count: int) -> None:
        self._client, self._inner = client, client.get_executor(pure=False)
        self._log = logging.getLogger("distributed.client")
        self._level = self._log.level
        self._log.setLevel(logging.CRITICAL)
        self.count = count
        """Workers that there were when it was made."""

    def submit(self, fn: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_R]:
        """A task for any worker; the scheduler gives it to another when that one dies."""
        return self._inner.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close the connection; scheduler and workers stay."""
        if not cancel_futures:
            self._inner.shutdown(wait)
        self._client.close()
        self._log.setLevel(self._level)


def executor_at(place: str, *, limit: float | None = None) -> Executor:
    """The executor that a text names; close it when it is not needed any more.

    `limit` is the longest that a task of local processes may take, in seconds. Raises `WorkersError` for a text that
    names none and for a scheduler that does not answer, `ToolMissingError` without the extra `dask`.
    """
    if not isinstance(place, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise WorkersError(f"executor is a {type(place).__name__}; expected a concurrent.futures.Executor, or {_FORMS}")
    kind, colon, rest = place.partition(":")
    if kind == "local":
        return Processes(_number(rest, place) if colon else None, limit=limit)
    if kind == "dask" and rest:
        return _dask(rest)
    raise WorkersError(f"'{place}' names no executor; expected {_FORMS}")


def _number(text: str, place: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST):
        raise WorkersError(f"'{place}': '{text}' is no number of processes; 1 to {_MOST:,} are possible")
    return int(text)


def _dask(address: str) -> Executor:
    if find_spec("distributed") is None:
        raise ToolMissingError(f"working on a Dask cluster needs the package 'distributed': {pip_install('dask')}")
    connect = cast("Callable[..., _Client]", import_module("distributed").Client)
    try:
        client = connect(address, timeout=10, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise WorkersError(
            f"no Dask scheduler answers at '{address}' ({error}): start one with 'dask scheduler', and give the "
            "address that it prints"
        ) from None
    try:
        count = _check_versions(client, address)
    except BaseException:
        client.close()
        raise
    return DaskExecutor(client, count)


def _check_versions(client: _Client, address: str) -> int:
    """How many workers there are. Raises `WorkersError` for none, and for such as would compile something else."""
    try:
        found = client.run(this_vtac)
    except Exception as error:
        raise WorkersError(
            f"the workers of '{address}' cannot import vtac ({type(error).__name__}: {error}): install it there"
        ) from None
    if not found:
        raise WorkersError(f"the Dask scheduler at '{address}' has no workers: start some with 'dask worker {address}'")
    check_same(found, this_vtac())
    return len(found)


def this_vtac() -> tuple[str, str]:
    """The version of vtac that is installed here, and what its sources are: those of a checkout change without it."""
    model_identity: Callable[[], str] = import_module("vtac.targets.vta.compiler_identity").model_identity
    return installed_version("vtac"), model_identity()


def check_same(found: Mapping[str, tuple[str, str]], here: tuple[str, str]) -> None:
    """Raises `WorkersError` with the first worker whose version or sources are others than those here."""
    for worker, (version, sources) in found.items():
        if version != here[0]:
            raise WorkersError(
                f"the worker {worker} has vtac {version}, here is {here[0]}: install the same version on all of them"
            )
        if sources != here[1]:
            raise WorkersError(
                f"the worker {worker} has vtac {version} as well, but of other sources ({sources}, here {here[1]}), "
                "and what it finds would be stored as this compiler's: install the same on all of them"
            )
