"""A CUDA program as an operator of PyTorch, which torch.compile and torch.export keep whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from vtac.errors import LaunchError, ToolMissingError
from vtac.lazily import pip_install
from vtac.targets.cuda.launch import Parameter

if TYPE_CHECKING:
    from vtac.targets.cuda.gpu.bound import BoundProgram
    from vtac.targets.cuda.network import CudaNetwork
    from vtac.targets.cuda.program import CudaProgram


def torch_op(program: CudaProgram | CudaNetwork, name: str) -> Callable[..., Any]:
    """Register a program as an operator, by `torch.library.custom_op`, and give it.

    It takes tensors of the arguments' shapes and dtypes, all on one device, and gives new ones. On a GPU the kernels
    are enqueued on PyTorch's current stream of that device, compiled there at the first call; on the CPU the text
    itself is executed. Raises `ToolMissingError` without PyTorch, `LaunchError` for a name that is none, or an argument
    that is written, and, when called, for tensors that do not fit.
    """
    try:
        torch = import_module("torch")
    except ImportError as error:
        raise ToolMissingError(
            f"cannot make an operator of PyTorch: {error}; install it with {pip_install('torch')}"
        ) from None
    space, colons, last = name.partition("::")
    if not (colons and space.isidentifier() and last.isidentifier()):
        raise LaunchError(f"operator {name!r}: a name in a namespace is required, as in mine::matmul")
    results = {one.name for one in program.results}
    written = next((one.name for one in program.arguments if one.name in results), None)
    if written is not None:
        raise LaunchError(f"operator {name!r}: the program writes its argument `{written}`; operators give new tensors")
    kernel = _Operator(torch, program, name)
    count = len(program.results)
    gives = "Tensor" if count == 1 else f"({', '.join(['Tensor'] * count)})"
    schema = f"({', '.join(f'Tensor {one.name}' for one in program.arguments)}) -> {gives}"
    made = torch.library.custom_op(name, kernel.run, mutates_args=(), schema=schema)
    made.register_fake(kernel.shapes)
    return made


class _Operator:
    """What an operator does with tensors; `Any` are PyTorch's, which is imported where there is one."""

    def __init__(self, torch: ModuleType, program: CudaProgram | CudaNetwork, name: str) -> None:
        self.torch = torch
        self.program = program
        self.name = name
        self.bound: dict[int, BoundProgram] = {}

    def run(self, *tensors: Any) -> Any:
        """The results on the tensors' device."""
        self._check(tensors)
        device = tensors[0].device if tensors else self.torch.device("cpu")
        if device.type == "cpu":
            return self._on_cpu(tensors)
        if device.index not in self.bound:
            self.bound[device.index] = self.program.on_gpu(device.index)
        out = [self._empty(one, device) for one in self.program.results]
        stream = self.torch.cuda.current_stream(device)
        self.bound[device.index](*(one.contiguous() for one in tensors), out=out, stream=stream)
        return _one_or_all(out)

    def shapes(self, *tensors: Any) -> Any:
        """Results without contents, for tracing."""
        self._check(tensors)
        device = tensors[0].device if tensors else self.torch.device("cpu")
        return _one_or_all([self._empty(one, device) for one in self.program.results])

    def _on_cpu(self, tensors: Sequence[Any]) -> Any:
        arrays = [
            (one.contiguous().view(self.torch.uint16) if p.dtype == "bfloat16" else one.contiguous()).numpy()
            for p, one in zip(self.program.arguments, tensors, strict=True)
        ]
        outputs = self.program.run_on_cpu(arrays).outputs
        found = [
            self.torch.from_numpy(array).view(self._dtype(p)) if p.dtype == "bfloat16" else self.torch.from_numpy(array)
            for p, array in zip(self.program.results, outputs, strict=True)
        ]
        return _one_or_all(found)

    def _dtype(self, parameter: Parameter) -> Any:
        return getattr(self.torch, parameter.dtype)

    def _empty(self, parameter: Parameter, device: Any) -> Any:
        return self.torch.empty(parameter.shape, dtype=self._dtype(parameter), device=device)

    def _check(self, tensors: Sequence[Any]) -> None:
        """Shapes, dtypes and devices are those of the program. Raises `LaunchError`."""
        for parameter, one in zip(self.program.arguments, tensors, strict=True):
            if tuple(one.shape) != parameter.shape or one.dtype != self._dtype(parameter):
                raise LaunchError(
                    f"argument `{parameter.name}` of operator {self.name} got {one.dtype} {list(one.shape)}; it is "
                    f"{parameter.dtype} {list(parameter.shape)}"
                )
        places = {str(one.device) for one in tensors}
        if len(places) > 1:
            raise LaunchError(f"operator {self.name} got tensors on {' and '.join(sorted(places))}; one is required")


def _one_or_all(found: Sequence[Any]) -> Any:
    return found[0] if len(found) == 1 else tuple(found)
