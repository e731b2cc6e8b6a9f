"""An agent under load: eight clients over TLS, a thousand runs, an agent that is killed and started again.

Also what 100 MB take by TLS on the loopback, in CPU time of both ends; more than 0.5 s of the agent's are an error.
Needs the command openssl, and Linux for the agent's CPU time.

    python benchmarks/devices.py --clients 8 --runs 1000
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import vtac
from vtac.devices.device import Bytes, Device
from vtac.devices.opening import Credentials
from vtac.errors import DeviceError
from vtac.targets.vta.programs.arrays import Array
from vtac.targets.vta.programs.vta_program import VtaProgram

_SOURCES = ("vta_vadd", "vta_matmul")
_MEGABYTES = 100
_MOST_AGENT_SECONDS = 0.5
"""CPU of an agent for so many bytes."""


@dataclass
class Agent:
    """An agent process, and what its clients need."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        key, certificate = self.folder / "key.pem", self.folder / "agent.pem"
        made = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj", "/CN=agent"]
        subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
        (self.folder / "token").write_text("0123456789abcdef" * 2)

    def start(self) -> None:
        """Start it, on the port that it had before."""
        files = {name: str(self.folder / name) for name in ("token", "agent.pem", "key.pem")}
        command = [sys.executable, "-m", "vtac", "agent", "--tls", f"127.0.0.1:{self.port}", "--token", files["token"]]
        command += ["--certificate", files["agent.pem"], "--key", files["key.pem"]]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline() if self.process.stdout is not None else ""
        self.port = int(line.split()[-1])

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def cpu_seconds(self) -> float:
        """What the process has had of the CPU, by Linux's account of it."""
        if self.process is None:
            return 0.0
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def connect(self) -> Device:
        credentials = Credentials(str(self.folder / "token"), str(self.folder / "agent.pem"))
        return vtac.devices.open(f"tls://127.0.0.1:{self.port}", credentials)


@dataclass
class Load:
    """What the clients have done together."""

    wanted: int
    guard: threading.Lock = field(default_factory=threading.Lock)
    taken: int = 0
    done: int = 0
    wrong: int = 0
    reconnected: int = 0

    def take(self) -> bool:
        with self.guard:
            self.taken += 1
            return self.taken <= self.wanted

    def finish(self, *, right: bool) -> None:
        with self.guard:
            self.done += 1
            self.wrong += not right

    def give_back(self) -> None:
        with self.guard:
            self.taken -= 1
            self.reconnected += 1


def _client(agent: Agent, load: Load, programs: Sequence[VtaProgram], seed: int) -> None:
    generator = np.random.default_rng(seed)
    program = programs[seed % len(programs)]
    arrays = tuple(generator.integers(-99, 99, buffer.shape).astype(buffer.dtype) for buffer in program.arguments)
    expected = program(*arrays)
    while load.take():
        try:
            with agent.connect() as device:
                _run_on(device, load, program, arrays, expected)
        except DeviceError:
            load.give_back()
            time.sleep(0.05)


def _run_on(
    device: Device, load: Load, program: VtaProgram, arrays: tuple[Array, ...], expected: Array | tuple[Array, ...]
) -> None:
    loaded = program.to(device)
    while True:
        found = loaded(*arrays)
        load.finish(right=np.array_equal(np.asarray(found), np.asarray(expected)))
        if not load.take():
            return


@dataclass(frozen=True)
class Moved:
    """Seconds that a transfer took: by the clock, and of each end's CPU."""

    what: str
    clock: float
    client: float
    agent: float

    def __str__(self) -> str:
        ends = f"{self.agent:.2f} s of the agent's CPU, {self.client:.2f} s of the client's"
        return f"{_MEGABYTES} MB {self.what} over TLS in {self.clock:.2f} s: {ends}"


def _transfers(agent: Agent) -> list[Moved]:
    """Both ways, the first bytes of a connection aside."""
    data = np.random.default_rng(0).integers(0, 256, _MEGABYTES * 1_000_000, np.uint8)
    with agent.connect() as device:
        block, _ = device.allocate(data.nbytes, 4096)
        device.write(block, 0, data[:4096])
        written = _moved(agent, "written", lambda: device.write(block, 0, data))
        found: list[Bytes] = []
        read = _moved(agent, "read", lambda: found.append(device.read(block, 0, data.nbytes)))
    if not np.array_equal(found[0], data):
        raise SystemExit("what was read is not what was written")
    return [written, read]


def _moved(agent: Agent, what: str, move: Callable[[], None]) -> Moved:
    before, theirs, start = _own_seconds(), agent.cpu_seconds(), time.perf_counter()
    move()
    clock = time.perf_counter() - start
    return Moved(what, clock, _own_seconds() - before, agent.cpu_seconds() - theirs)


def _own_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--runs", type=int, default=1000)
    options = parser.parse_args()
    folder = Path(__file__).resolve().parents[1] / "examples"
    programs = [vtac.compile(vtac.parse(folder / f"{name}.mlir"), target="vta") for name in _SOURCES]
    with tempfile.TemporaryDirectory() as place:
        agent = Agent(Path(place))
        agent.start()
        moved = _transfers(agent)
        print(*moved, sep="\n")
        load = Load(options.runs)
        clients = [
            threading.Thread(target=_client, args=(agent, load, programs, seed)) for seed in range(options.clients)
        ]
        start = time.perf_counter()
        for client in clients:
            client.start()
        while load.done < options.runs // 2:
            time.sleep(0.01)
        agent.kill()
        agent.start()
        for client in clients:
            client.join()
        seconds = time.perf_counter() - start
        print(f"{load.done} runs by {options.clients} clients in {seconds:.1f} s, {load.wrong} wrong")
        print(f"the agent was killed once, after which clients tried {load.reconnected} times to connect again")
        agent.kill()
    if load.wrong or max(one.agent for one in moved) > _MOST_AGENT_SECONDS:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
