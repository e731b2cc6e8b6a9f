"""PyTorch modules beside their graphs: `make test-torch` runs these where torch is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vtac
from vtac.errors import ModelError, ToolMissingError
from vtac.models.model import Model
from vtac.tools.vtac import main

EXAMPLES = Path(__file__).parents[3] / "examples" / "mnist"
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="the package torch is not installed")


@pytest.fixture
def torch() -> Any:
    found = import_module("torch")
    found.manual_seed(0)
    return found


def check(torch: Any, module: Any, *shape: int) -> Model:
    """The module's model, which computes what the module does."""
    data = torch.randn(*shape)
    model = vtac.from_torch(module, (data,))
    expected = module.eval()(data)
    found = model(data.numpy())
    others: list[Any] = [*expected] if isinstance(expected, tuple) else [expected]
    for own, other in zip(found if isinstance(found, tuple) else (found,), others, strict=True):
        np.testing.assert_allclose(own, other.detach().numpy(), rtol=1e-4, atol=1e-5)
    return model


def single(torch: Any) -> dict[str, tuple[Any, tuple[int, ...]]]:
    nn = torch.nn
    return {
        "same": (nn.Conv2d(3, 4, (2, 3), padding="same"), (1, 3, 7, 6)),
        "grouped": (nn.Conv2d(4, 6, 3, 2, 1, groups=2, bias=False), (2, 4, 8, 7)),
        "dilated": (nn.Conv2d(4, 4, 3, dilation=2, groups=4), (1, 4, 8, 7)),
        "transposed": (nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2), (1, 4, 5, 6)),
        "linear": (nn.Linear(6, 5), (2, 3, 6)),
        "max": (nn.MaxPool2d(3, 2, 1, ceil_mode=True), (1, 2, 8, 7)),
        "average": (nn.AvgPool2d(3, 2, 1, count_include_pad=False), (1, 2, 8, 7)),
        "adaptive": (nn.AdaptiveAvgPool2d((2, 3)), (1, 2, 8, 6)),
        "upsampling": (nn.Upsample(scale_factor=2), (1, 2, 3, 4)),
        "layer norm": (nn.LayerNorm((4, 6)), (2, 4, 6)),
        "parametric": (nn.PReLU(3), (1, 3, 2, 2)),
        "functions": (
            nn.Sequential(nn.Hardswish(), nn.Hardsigmoid(), nn.GELU(), nn.SiLU(), nn.Tanh(), nn.LeakyReLU(0.2)),
            (3, 9),
        ),
        "clamps": (nn.Sequential(nn.Hardtanh(-0.5, 0.7), nn.ReLU6(), nn.Softmax(1)), (3, 9)),
    }


@needs_torch
def test_modules_mean_what_torch_says(torch: Any) -> None:
    for module, shape in single(torch).values():
        check(torch, module, *shape)


@needs_torch
def test_layers_bear_the_names_of_their_modules(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])
    nets = import_module("nets")
    for make in nets.NETS.values():
        check(torch, make(), 2, 1, 28, 28)
    names = [layer.name for layer in check(torch, nets.ResidualNet(), 1, 1, 28, 28).layers]
    assert names[3:10] == [
        "layer1.conv1",
        "layer1.bn1",
        "layer1.relu",
        "layer1.conv2",
        "layer1.bn2",
        "layer1.add",
        "layer1.relu_2",
    ]
    assert "layer2.downsample.0" in names


def moving(torch: Any) -> Any:
    class Moving(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()  # pyright: ignore[reportUnknownMemberType]
            self.matrix = torch.nn.Parameter(torch.randn(40, 2))

        def forward(self, data: Any) -> Any:
            left, right = data.chunk(2, 1)
            first = torch.cat([right * 2, 1 - left], 1).permute(0, 2, 3, 1)
            second = data.mean((2, 3)).view(2, -1).unsqueeze(1).transpose(1, 2) / 3
            return first[:, 1:, ::2], second, data[:, 0], (left - 2 * right).clamp(min=0).flatten(1) @ self.matrix

    return Moving()


@needs_torch
def test_elements_are_moved_and_computed_with(torch: Any) -> None:
    check(torch, moving(torch), 2, 4, 4, 5)


@needs_torch
def test_a_module_goes_to_the_accelerator(torch: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nn = torch.nn
    module = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    data = torch.randn(8, 2, 4, 4)
    quantised = vtac.from_torch(module, (data[:1],)).quantize(data.numpy())
    np.testing.assert_array_equal(
        quantised.compile().predict(data.numpy()), quantised.floats(simulated(quantised, data))[0]
    )
    torch.export.save(torch.export.export(module.eval(), (data[:1],)), tmp_path / "net.pt2")
    np.savez(tmp_path / "data.npz", input=data.numpy())
    out = str(tmp_path / "net.mlir")
    assert main(["quantize", str(tmp_path / "net.pt2"), "--calibration", str(tmp_path / "data.npz"), "-o", out]) == 0
    assert main(["run", out]) == 0
    capsys.readouterr()


def simulated(quantised: Any, data: Any) -> Any:
    return quantised.simulate(data.numpy())


def refusal(make: Callable[[], object]) -> str:
    with pytest.raises(ModelError) as caught:
        make()
    return str(caught.value)


@needs_torch
def test_what_no_layer_is_for_is_listed_all_at_once(torch: Any) -> None:
    class Waves(torch.nn.Module):
        def forward(self, data: Any) -> Any:
            return torch.sin(data) + torch.sin(data * 2) + torch.erf(data)

    data = torch.randn(1, 4)
    assert refusal(lambda: vtac.from_torch(Waves(), (data,))) == (
        "model 'Waves' uses operations that no layer is for: erf (1 times, first 'erf'); sin (2 times, first 'sin')"
    )
    assert refusal(lambda: vtac.from_torch(torch.nn.ReLU())) == (
        "a module was given without example inputs; a tuple of tensors is required"
    )
    assert refusal(lambda: vtac.from_torch(3)) == (
        "a int was given; a torch.nn.Module or an ExportedProgram is required"
    )
    wide = (data.double(),)
    assert refusal(lambda: vtac.from_torch(torch.nn.ReLU(), wide)) == (
        "input 'input' is of type torch.float64; torch.float32 is required"
    )


@pytest.mark.skipif(find_spec("torch") is not None, reason="the package torch is installed")
def test_without_the_package_a_message_says_how_to_get_it() -> None:
    with pytest.raises(ToolMissingError) as caught:
        vtac.from_torch(None)
    assert str(caught.value) == "reading PyTorch models needs the package 'torch': pip install 'vtac[torch]'"
