"""What the host does between and beside streams, in words: where it stands, how much it is, what would avoid it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import AnyFloat
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.linalg.ops import FillOp, GenericOp
from xdsl.dialects.linalg.ops import YieldOp as LinalgYieldOp
from xdsl.ir import Operation, SSAValue
from xdsl.utils.type import get_element_type_or_self

from vtac.analysis.ir.locations import location_of
from vtac.analysis.operations.reshapes import RESHAPES
from vtac.analysis.programs.callers_values import is_from_caller
from vtac.analysis.programs.contraction_counts import Count, count_of
from vtac.analysis.types.sizes import byte_count, item_count
from vtac.dialects.packing import HostOp, PackOp, TransposeTilesOp, UnpackOp, UnspecifiedOp, YieldOp
from vtac.partition.tile_slices import why_on_host

_UNMOVED = (PackOp, UnpackOp, TransposeTilesOp, UnspecifiedOp, *RESHAPES, arith.ConstantOp, tensor.EmptyOp, FillOp)
"""What stands around the calls of every program, and is none of its operations."""

_QUANTISE = "write it in integers, as by quantising the model: the VTA computes in int8 and int32"
_CONTRACTION = "give it factors that are i8 or widened from it (arith.extsi), and constant zero points"
_ONE_DIMENSION = re.compile(r"linalg\.(depthwise_)?conv_1d(?:_(\w+)_(\w+))?")
_THREE_DIMENSIONS = "write it as convolutions of two dimensions, one for each plane of the window, and add these up"
_ELEMENTWISE = "use additions, maxima, minima, shifts and products with constants, on i8 and i32"
_PAD = "pad with zeros, or with the zero point of the data"
_PACKED = "the host packs this tensor anyway"
_MOVE = "move it to the ends of the network, or do without it"


@dataclass(frozen=True)
class Break:
    """The host operations, one or more, for which one stream ends and another begins; a call where it is layouts."""

    ops: tuple[Operation, ...]
    before: str
    after: str

    def __str__(self) -> str:
        shown = next((op for op in self.ops if isinstance(op, HostOp)), self.ops[0])
        names = Counter(inner.name for op in self.ops for inner in operations_of(op))
        moved = [value for op in self.ops for value in (op.operands if isinstance(op, CallOp) else op.results)]
        done = ", ".join(f"'{name}'" + (f" {count} times" if count > 1 else "") for name, count in names.items())
        what = "changes a layout" if isinstance(shown, CallOp) else f"does {done}"
        amount = f"{sum(byte_count(value.type) for value in moved):,} bytes through its memory"
        reason = f"stream break: between {self.before} and {self.after} the host {what}"
        return f"{reason} ({_joined(location_of(shown), amount)}); {remedy(shown)}"


def operations_of(op: Operation) -> list[Operation]:
    """What an operation of the host function computes: of a host segment, the operations in it."""
    return [inner for inner in op.body.block.ops if not isinstance(inner, YieldOp)] if isinstance(op, HostOp) else [op]


def described(op: Operation, total_macs: int) -> str:
    """Where a host operation stands, and its multiplications or elements."""
    counts = _counts(op)
    macs = sum(count.macs for count in counts)
    if macs:
        share = f", {macs / total_macs:.1%} of all" if macs < total_macs else ""
        return _joined(location_of(op), f"{macs:,} MACs{share}")
    elements = sum(item_count(result.type) for result in op.results)
    return _joined(location_of(op), f"{elements:,} element{'' if elements == 1 else 's'}")


def remedy(op: Operation) -> str:
    """What would let the VTA do it, or why it is no loss that the host does."""
    inner = operations_of(op)
    if any(_is_float(value) for one in op.walk() for value in (*one.operands, *one.results)):
        return _QUANTISE
    if _counts(op):
        return next(filter(None, (remedy_of_dimensions(one.name) for one in inner)), _CONTRACTION)
    if any(isinstance(one, tensor.PadOp) for one in inner):
        return _PACKED if all(map(is_from_caller, op.results)) else _PAD
    for one in inner:
        if reason := why_on_host(one):
            return reason
    return _ELEMENTWISE if any(isinstance(op, HostOp) and not _only_moves(one) for one in inner) else _MOVE


def remedy_of_dimensions(name: str) -> str:
    """How a named convolution of one or three dimensions becomes some of two; empty for any other operation."""
    if "conv_3d" in name:
        return _THREE_DIMENSIONS
    found = _ONE_DIMENSION.fullmatch(name)
    if found is None:
        return ""
    depthwise, data, weights = found.groups(default="")
    # The layouts of two dimensions have a height before the width: ncw_fcw, nchw_fchw.
    layouts = f"{data}_{weights}".replace("w", "hw") if data else "nchw_fchw"
    channels = "" if data else ", one channel and one feature"
    return (
        f"write it as linalg.{depthwise}conv_2d_{layouts} with a height of 1{channels}: tensor.expand_shape gives data "
        "and weights that dimension, tensor.collapse_shape takes it from the result"
    )


def breaks_in(function: FuncOp) -> list[Break]:
    """The operations for which streams end, for each two streams, in program order."""
    ops = list(function.body.block.ops)
    order = {op: number for number, op in enumerate(ops)}
    behind, ahead = _calls_before(ops, order), _calls_after(ops)
    between: dict[tuple[CallOp, CallOp], list[Operation]] = {}
    for op in ops:
        if op in behind and op in ahead and not isinstance(op, (CallOp, *_UNMOVED)):
            between.setdefault((behind[op], ahead[op]), []).append(op)
    covered = {after for _, after in between}
    for op in ops:
        if isinstance(op, CallOp) and op in behind and op not in covered:
            between[behind[op], op] = [op]
    found = [Break(tuple(moved), _name(before), _name(after)) for (before, after), moved in between.items()]
    return sorted(found, key=lambda one: order[one.ops[0]])


def _calls_before(ops: Sequence[Operation], order: Mapping[Operation, int]) -> dict[Operation, CallOp]:
    """The last call that an operation depends on, of those that depend on one."""
    found: dict[Operation, CallOp] = {}
    for op in ops:
        owners = _owners(op)
        before = [owner if isinstance(owner, CallOp) else found.get(owner) for owner in owners]
        if calls := [call for call in before if call is not None]:
            found[op] = max(calls, key=order.__getitem__)
    return found


def _calls_after(ops: Sequence[Operation]) -> dict[Operation, CallOp]:
    """The first call that depends on an operation, of those that one depends on."""
    found: dict[Operation, CallOp] = {}
    for op in reversed(ops):
        reader = op if isinstance(op, CallOp) else found.get(op)
        if reader is not None:
            found.update(dict.fromkeys(_owners(op), reader))
    return found


def _name(call: CallOp) -> str:
    return call.callee.string_value()


def host_counts(function: FuncOp) -> list[Count]:
    """The contractions that the host computes."""
    return [count for op in function.body.block.ops for count in _counts(op)]


def _counts(op: Operation) -> Sequence[Count]:
    return [count for inner in operations_of(op) if (count := count_of(inner)) is not None]


def computes(op: HostOp) -> bool:
    """Whether a host segment does more than to move elements, or to widen integers as it moves them."""
    parts = operations_of(op)
    if not parts or not all(isinstance(part, GenericOp | tensor.EmptyOp) for part in parts):
        return True
    inner = [one for part in parts for one in part.walk() if one is not part]
    return any(not isinstance(one, arith.ExtSIOp | arith.ExtUIOp | LinalgYieldOp) for one in inner)


def _only_moves(op: Operation) -> bool:
    """Whether a structured operation gives elements as they are."""
    return bool(op.regions) and all(len(block.ops) == 1 for region in op.regions for block in region.blocks)


def _owners(op: Operation) -> list[Operation]:
    return [v.owner for inner in op.walk() for v in inner.operands if isinstance(v.owner, Operation)]


def _is_float(value: SSAValue) -> bool:
    return isinstance(get_element_type_or_self(value.type), AnyFloat)


def _joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))
