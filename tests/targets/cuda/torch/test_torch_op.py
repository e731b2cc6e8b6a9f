"""Programs as operators of PyTorch: results, tracing, refusals. `make test-torch` installs PyTorch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cuda_networks import forked
from memref_copy import MEMREFS

import vtac
from vtac.errors import LaunchError
from vtac.workloads.wmma_matmul import WmmaMatmul

torch: Any = pytest.importorskip("torch", reason="make test-torch installs PyTorch")


def product(element: str) -> vtac.CudaProgram:
    layer = WmmaMatmul(64, 32, 32, element)
    program = vtac.compile(layer.text(), "cuda", schedule=layer.schedule())
    assert isinstance(program, vtac.CudaProgram)
    return program


@pytest.mark.parametrize(("element", "dtype"), [("f16", "float16"), ("bf16", "bfloat16")])
def test_an_operator_computes_on_the_cpu_and_is_traced(element: str, dtype: str) -> None:
    operator = product(element).torch_op(f"vtac_test::matmul_{element}")
    a, b = (torch.ones(shape, dtype=getattr(torch, dtype)) for shape in ((64, 32), (32, 32)))
    a[3] = 2
    assert torch.equal(operator(a, b), a.float() @ b.float())

    def next_to(x: Any, y: Any) -> Any:
        return operator(x, y) + 1

    traced = torch.compile(next_to, backend="eager", fullgraph=True)
    assert torch.equal(traced(a, b), a.float() @ b.float() + 1)
    torch.library.opcheck(operator, (a, b))


def test_several_results() -> None:
    program = vtac.compile(forked(), "cuda")
    given = np.linspace(-1, 1, 48, dtype=np.float32).reshape(6, 8)
    with pytest.raises(LaunchError, match="operators give new tensors"):
        vtac.compile(MEMREFS, "cuda").torch_op("vtac_test::copy")
    found = program.torch_op("vtac_test::forked")(torch.from_numpy(given.copy()))
    for one, expected in zip(found, program(given), strict=True):
        np.testing.assert_array_equal(one.numpy(), expected)


def test_refusals() -> None:
    program = product("f16")
    with pytest.raises(LaunchError, match="operator 'matmul': a name in a namespace is required, as in mine::matmul"):
        program.torch_op("matmul")
    operator = replace(program).torch_op("vtac_test::refusing")
    a = torch.ones((64, 32), dtype=torch.float16)
    with pytest.raises(LaunchError, match=r"argument `b` of operator vtac_test::refusing got torch.float16 \[64, 32\]"):
        operator(a, a)
