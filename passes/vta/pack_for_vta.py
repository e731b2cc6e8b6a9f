"""pack-for-vta: plain linalg -> a host function that packs, calls device functions, and unpacks."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import MemRefType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from vtac.analysis.locations import location_of
from vtac.analysis.target import allows_acc_8bit, config_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing import BlockDiagonalOp, HostOp, JoinOp, ReshapeOp, YieldOp
from vtac.dialects.packing.declared import CHOICE, DEVICE
from vtac.errors import CompileError, JointCompileError
from vtac.partition.alu_trees import DeclineError
from vtac.partition.convolutions import match_convolution
from vtac.partition.device_layers import DeviceLayers
from vtac.partition.expressions import Apply, Element, Literal
from vtac.partition.graph import Graph, accumulators, narrow_parts
from vtac.partition.pads import pad_value
from vtac.partition.stages import STAGE
from vtac.partition.stored import HostBuilder, type_of
from vtac.rewriting.edits import append, replace_block

_LAYOUT_OPS = (
    ConstantOp,
    FillOp,
    BroadcastOp,
    tensor.EmptyOp,
    tensor.PadOp,
    tensor.CollapseShapeOp,
    tensor.ExpandShapeOp,
    tensor.ExtractSliceOp,
    tensor.InsertSliceOp,
    tensor.ConcatOp,
    JoinOp,
    ReshapeOp,
    BlockDiagonalOp,
    HostOp,
)


@dataclass(frozen=True)
class PackForVta(ModulePass):
    """Split each function into device functions on packed tensors and a host function around them.

    requires: a function on tensors of static shape, in any layout; the module's `vta.config`.
    ensures:  one device function per product, convolution, pooling or elementwise chain, with
              what follows it elementwise; layout changes only where layouts differ; what the
              VTA cannot execute in `packing.host` segments that say why.
    declines: when `host` is false, host segments, all of them at once, and a function that gives
              the VTA nothing to do.
    """

    name = "pack-for-vta"

    host: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        functions = [f for f in op.ops if isinstance(f, FuncOp) and f.body.blocks]
        if functions and all(DEVICE.is_on(function) for function in functions):
            raise CompileError(
                "pack-for-vta: every function is a device function; nothing is left to pack", location_of(functions[0])
            )
        for function in [f for f in functions if not DEVICE.is_on(f)]:
            packer = _FunctionPacker(function, config_of(op), allow_host=self.host, acc_8bit=allows_acc_8bit(op))
            for device in packer.run():
                DEVICE.set(device, True)
                if not location_of(device):
                    device.location = function.location
                append(device, op.body.block)


class _FunctionPacker:
    def __init__(self, function: FuncOp, config: VTAConfig, *, allow_host: bool, acc_8bit: bool) -> None:
        self.function = function
        self.allow_host = allow_host
        self.old = function.body.block
        self.new = Block(arg_types=[argument.type for argument in self.old.args])
        self.values: dict[SSAValue, SSAValue] = {}
        for old, new in zip(self.old.args, self.new.args, strict=True):
            new.name_hint, new.location = old.name_hint, old.location
            self.values[old] = new
        self.graph = Graph()
        host = HostBuilder(self.new)
        self.layers = DeviceLayers(function.sym_name.data, config, self.graph, host, self.plain, acc_8bit=acc_8bit)
        self.host_reasons: dict[Operation, CompileError] = {}

    def run(self) -> list[FuncOp]:
        """Rewrite the function; returns the device functions it calls."""
        self._check_types()
        self._choose_cuts()
        for value in self._host_stages():
            self.plain(value)
        returned = self.old.last_op
        results = [self.plain(value) for value in returned.operands] if isinstance(returned, ReturnOp) else []
        if self.host_reasons and not self.allow_host:
            raise _refused(self._reasons())
        if not self.layers.functions and not self.allow_host:
            text = f"function '{self.function.sym_name.data}' gives the VTA nothing to do"
            raise CompileError(text, location_of(self.function))
        append(ReturnOp(*results), self.new)
        replace_block(self.old, self.new)
        return self.layers.functions

    def _host_stages(self) -> list[SSAValue]:
        """Results of host operations that end a stage of the program: made in order, so that none is reached by all."""
        needed: set[Operation] = set()
        for op in reversed(list(self.old.ops)):
            if isinstance(op, ReturnOp) or any(use.operation in needed for result in op.results for use in result.uses):
                needed.add(op)
        since: dict[SSAValue, int] = {}
        ends: list[SSAValue] = []
        for op in self.old.ops:
            steps = 1 + max((since.get(operand, 0) for operand in op.operands), default=0)
            if steps >= STAGE and op in needed and op in self.graph.reasons:
                ends += op.results
                steps = 0
            since |= dict.fromkeys(op.results, steps)
        return ends

    def plain(self, value: SSAValue) -> SSAValue:
        """The new function's value, in plain layout, for one of the old function."""
        if value not in self.values:
            self._make(value)
        return self.values[value]

    def _reasons(self) -> list[CompileError]:
        """Why operations run on the host, in program order."""
        return [self.host_reasons[op] for op in self.old.ops if op in self.host_reasons]

    def _check_types(self) -> None:
        """Raises the operations of which a value has no static shape, each once."""
        if any(isinstance(kind, MemRefType) for op in self.old.walk() for kind in self._kinds_at(op)):
            found = f"function '{self.function.sym_name.data}' works on memrefs"
            raise CompileError(f"pack-for-vta: {found}; it takes functions on tensors", location_of(self.function))
        refused = [
            CompileError(f"{kind}: dynamic or empty shapes; static ones are required", location_of(op))
            for op in (self.function, *self.old.walk())
            if (kind := next(filter(_is_dynamic, self._values_of(op)), None)) is not None
        ]
        if refused:
            raise JointCompileError(refused)

    def _kinds_at(self, op: Operation) -> list[Attribute]:
        """The types of what an operation takes and gives."""
        return [value.type for value in (*op.operands, *op.results)]

    def _values_of(self, op: Operation) -> list[Attribute]:
        return [value.type for value in (*op.results, *(self.old.args if op is self.function else ()))]

    def _choose_cuts(self) -> None:
        """Where a value has several uses, or is a product's factor, it is stored instead of computed again."""
        for op in self.old.ops:
            convolution = match_convolution(op)
            if not isinstance(convolution, str):
                found = self.graph.data(convolution)[0]
                if isinstance(found, Apply):
                    self.layers.cuts.add(found)
            for result in op.results:
                if isinstance(result.type, TensorType):
                    expression = self.graph.expression(result)  # in order, so that none recurses through the program
                    if result.uses.get_length() > 1:
                        self.layers.cuts.update(narrow_parts(expression))

    def _make(self, value: SSAValue) -> None:
        op = value.owner
        if not isinstance(op, Operation):
            raise CompileError("a value from outside of the function", location_of(self.function))
        if isinstance(op, _LAYOUT_OPS):
            clone = self._clone(op, self.new)
            if isinstance(op, tensor.PadOp):
                CHOICE.set(clone, _padding_choice(op))
            return
        try:
            if not isinstance(value.type, TensorType):
                raise DeclineError("its result is no tensor")
            expression = self.graph.expression(value)
            if isinstance(expression, Literal) or (
                isinstance(expression, Element)
                and expression != self.graph.element(value)
                and not accumulators(expression)
            ):
                self._clone(op, self.new)
                return
            if op in self.graph.reasons:
                raise DeclineError(self.graph.reasons[op])
            stored = self.layers.store(expression, type_of(value).get_shape(), value.name_hint or "result")
            self.values[value] = self.layers.plain_value(stored)
        except DeclineError as reason:
            self._on_host(op, str(reason))

    def _on_host(self, op: Operation, reason: str) -> None:
        text = f"'{op.name}' cannot run on the VTA: {reason}"
        self.host_reasons[op] = CompileError(text, location_of(op))
        body = Block()
        clone = self._clone(op, body)
        outputs = list(clone.results)
        append(YieldOp(operands=[outputs]), body)
        segment = HostOp.get(text, [output.type for output in outputs], Region(body))
        segment.location = op.location
        append(segment, self.new)
        for old, new in zip(op.results, segment.outputs, strict=True):
            new.name_hint = old.name_hint
            self.values[old] = new

    def _clone(self, op: Operation, into: Block) -> Operation:
        """A copy of an op whose operands, also those that its regions take from outside, are in place."""
        mapper: dict[SSAValue, SSAValue] = {}
        for inner in op.walk():
            for operand in inner.operands:
                if _is_outside(operand, op):
                    mapper[operand] = self.plain(operand)
        clone = op.clone(mapper)
        clone.location = op.location
        append(clone, into)
        for old, new in zip(op.results, clone.results, strict=True):
            new.name_hint = old.name_hint
            self.values[old] = new
        return clone


def _padding_choice(op: tensor.PadOp) -> str:
    """What is said of padding that no device function takes over."""
    number = pad_value(op)
    what = f"padding with {number}" if number is not None else "padding"
    return f"{what} ('tensor.pad'): loads put zeros around rows and columns, which do not stand for it here"


def _is_dynamic(kind: Attribute) -> bool:
    return any(extent < 1 for extent in getattr(kind, "get_shape", tuple[int, ...])())


def _refused(reasons: list[CompileError]) -> CompileError:
    """What cannot run on the VTA, all at once, in the order of the program's text."""
    if len(reasons) == 1:
        text = str(reasons[0]).removeprefix(f"{reasons[0].location}: ")
        return CompileError(f"{text}; allow host segments (without --no-host), or rewrite it", reasons[0].location)
    return JointCompileError(reasons, "allow host segments (without --no-host), or rewrite these operations")


def _is_outside(value: SSAValue, op: Operation) -> bool:
    owner = value.owner
    parent: Operation | None = owner if isinstance(owner, Operation) else owner.parent_op()
    while parent is not None:
        if parent is op:
            return False
        parent = parent.parent_op()
    return True
