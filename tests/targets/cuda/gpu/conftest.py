"""A stub in the driver's place: built once, empty at the start of each test, and with nothing held at its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stub_gpu import COMPILER, StubGpu, build

from vtac.targets.cuda.gpu import cubins, device
from vtac.targets.cuda.gpu.driver import Driver


@pytest.fixture(scope="session")
def stub_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if COMPILER is None:
        pytest.skip("the stub driver needs a C compiler (cc) on PATH")
    return build(tmp_path_factory.mktemp("stub"))


@pytest.fixture
def gpu(stub_library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StubGpu]:
    """A GPU to which nothing belongs, and a compiler for it."""
    found = StubGpu(stub_library)
    monkeypatch.setattr(device, "load_driver", lambda: Driver(str(stub_library)))
    monkeypatch.setattr(cubins, "compile_kernels", found.compile)
    device.open_device.cache_clear()
    cubins.forget_compiled()
    yield found
    device.open_device.cache_clear()
    cubins.forget_compiled()
