"""convert-blocks-to-memory: the blocks that are left -> loads, arithmetic and stores."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, memref, scf, vector
from xdsl.dialects.builtin import AnyFloat, BytesAttr, DenseIntOrFPElementsAttr, MemRefType, ModuleOp, VectorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass

from vtac.analysis.accesses import indices_of
from vtac.analysis.bodies import is_copy
from vtac.analysis.linear import Linear
from vtac.analysis.locations import location_of
from vtac.analysis.nest import (
    blocks_under,
    buffer_name,
    discard,
    element_type_of,
    enclosing_loops,
    extents_around,
    memref_type_of,
    shape_of,
    strides_of,
)
from vtac.analysis.tiles import strided_index
from vtac.dialects.schedule.attributes import LoopKind, Number
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import CompileError
from vtac.rewriting.index_values import HostValues

ELEMENT_BYTES = {"f16": 2, "bf16": 2, "f32": 4, "i8": 1, "i32": 4}
VECTOR_BYTES = 16


@dataclass(frozen=True)
class ConvertBlocksToMemory(ModulePass):
    """Address every buffer by one flat index, and turn blocks into loads and stores.

    requires: compacted buffers, no init, no guard; warp operations converted.
    ensures:  no block is left; padded reads choose between the pad value and memory; a
              vectorized loop of a copy is one vector load and store.
    declines: a vectorized loop that is no aligned contiguous copy of at most 16 bytes.
    """

    name = "convert-blocks-to-memory"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                _Converter(function).convert()


class _Converter:
    def __init__(self, function: FuncOp) -> None:
        self.function = function
        self.flat: dict[SSAValue, SSAValue] = {}

    def convert(self) -> None:
        for block in blocks_under(self.function):
            loops = enclosing_loops(block)
            if loops and loops[-1].loop_kind is LoopKind.VECTORIZED:
                self._convert_vector(block, loops[-1])
            else:
                self._replace(block, block, self._scalar(block))

    def _flattened(self, buffer: SSAValue) -> SSAValue:
        """A rank-1 view of a buffer, made where the buffer is."""
        rank = len(shape_of(buffer))
        if rank == 1:
            return buffer
        if buffer not in self.flat:
            kind = memref_type_of(buffer)
            total = prod(kind.get_shape()[:1]) * prod(strides_of(buffer)[:1])  # one item of rank 0
            flat = MemRefType(kind.element_type, [total], memory_space=kind.memory_space)
            view = memref.ReinterpretCastOp(buffer, [], [], [], [0], [total], [1], flat)
            view.result.name_hint = buffer.name_hint
            owner = buffer.owner
            if isinstance(owner, Operation) and owner.parent is not None:
                owner.parent.insert_op_after(view, owner)
            else:
                body = self.function.body.block
                body.insert_op_before(view, cast(Operation, body.first_op))
            self.flat[buffer] = view.result
        return self.flat[buffer]

    def _scalar(self, block: BlockOp) -> list[Operation]:
        values = HostValues(extents_around(block))
        inputs = [self._read(block, position, values) for position in range(len(block.inputs))]
        output = len(block.inputs)
        if block.has_reduction:
            inputs.append(self._read(block, output, values))
        mapping: dict[SSAValue, SSAValue] = dict(zip(block.body.block.args, inputs, strict=True))
        last = block.body.block.last_op
        for op in block.body.block.ops:
            if op is not last:
                values.operations.append(op.clone(mapping))
        result = mapping.get(block.yielded, block.yielded)
        place = self._place(block, output, values)
        values.operations.append(memref.StoreOp.get(result, self._flattened(block.output), [place]))
        return values.operations

    def _place(self, block: BlockOp, position: int, values: HostValues) -> SSAValue:
        buffer = (*block.inputs, block.output)[position]
        flat = strided_index(indices_of(block, position, values.extents), strides_of(buffer))
        return values.materialise(values.value(flat))

    def _read(self, block: BlockOp, position: int, values: HostValues) -> SSAValue:
        """The scalar at an access; where padding may be met, a choice."""
        buffer = (*block.inputs, block.output)[position]
        pad = block.accesses.data[position].pad_value
        inside = self._inside(block, position, values) if pad is not None else None
        if pad is None or inside is None:
            load = memref.LoadOp.get(self._flattened(buffer), [self._place(block, position, values)])
            values.operations.append(load)
            return load.res
        choice = self._choice(block, position, values, pad, inside)
        values.operations.append(choice)
        return choice.results[0]

    def _choice(self, block: BlockOp, position: int, values: HostValues, pad: Number, inside: SSAValue) -> scf.IfOp:
        buffer = block.inputs[position]
        nested = HostValues(values.extents)
        load = memref.LoadOp.get(self._flattened(buffer), [self._place(block, position, nested)])
        constant = arith.ConstantOp(pad)
        return scf.IfOp(
            inside,
            [element_type_of(buffer)],
            [*nested.operations, load, scf.YieldOp(load.res)],
            [constant, scf.YieldOp(constant.result)],
        )

    def _inside(
        self, block: BlockOp, position: int, values: HostValues, indices: Sequence[Linear] | None = None
    ) -> SSAValue | None:
        """Whether all indices lie in the buffer; None when they always do."""
        result: SSAValue | None = None
        shape = shape_of(block.inputs[position])
        given = indices_of(block, position, values.extents) if indices is None else indices
        for index, extent in zip(given, shape, strict=True):
            low, high = index.bounds(values.extents)
            if low < 0:
                result = values.both(result, values.at_least(values.value(index), 0))
            if high >= extent:
                result = values.both(result, values.at_least(values.value(Linear(extent - 1) - index), 0))
        return result

    def _convert_vector(self, block: BlockOp, loop: ForOp) -> None:
        lanes = loop.trip_count
        size = lanes * ELEMENT_BYTES.get(str(element_type_of(block.output)), 0)
        if not is_copy(block) or size > VECTOR_BYTES or size & (size - 1):
            raise _decline(
                block, loop, f"{lanes} lanes of {size} bytes together", "vectorise copies of 2, 4, 8 or 16 bytes"
            )
        values = HostValues(extents_around(block))
        offsets = [self._lane_offset(block, loop, position, lanes, values) for position in (0, 1)]
        pad = block.accesses.data[0].pad_value
        inside = self._inside_vector(block, loop, values) if pad is not None else None
        kind = VectorType(element_type_of(block.output), [lanes])
        source, target = self._flattened(block.inputs[0]), self._flattened(block.output)
        load = vector.LoadOp(source, [offsets[0]], kind)
        if inside is None:
            values.operations += [load, vector.StoreOp(load.result, target, [offsets[1]])]
        else:
            choice = self._zero_unless(block, loop, inside, load, pad, kind)
            values.operations += [choice, vector.StoreOp(choice.results[0], target, [offsets[1]])]
        self._replace(block, loop, values.operations)

    def _zero_unless(
        self,
        block: BlockOp,
        loop: ForOp,
        inside: SSAValue,
        load: vector.LoadOp,
        pad: Number | None,
        kind: VectorType[Attribute],
    ) -> scf.IfOp:
        """The vector, or zeros where it lies in the padding."""
        if pad is None or pad.value.data != 0:
            raise _decline(block, loop, "a pad value other than 0", "copy such padding one element at a time")
        lanes = kind.get_shape()[0] * ELEMENT_BYTES[str(kind.element_type)]
        zeros = arith.ConstantOp(DenseIntOrFPElementsAttr(cast(VectorType[AnyFloat], kind), BytesAttr(bytes(lanes))))
        return scf.IfOp(inside, [kind], [load, scf.YieldOp(load.result)], [zeros, scf.YieldOp(zeros.result)])

    def _inside_vector(self, block: BlockOp, loop: ForOp, values: HostValues) -> SSAValue | None:
        """As `_inside`, for the first lane: the others must agree, so an edge has to lie between vectors."""
        variable, lanes = loop.induction_variable, loop.trip_count
        firsts: list[Linear] = []
        for index, extent in zip(indices_of(block, 0, values.extents), shape_of(block.inputs[0]), strict=True):
            low, high = index.bounds(values.extents)
            first = index.substitute({variable: Linear(0)}, values.extents)
            steps = (extent, first.constant, *first.terms.values())
            agree = index == first + Linear.variable(variable) and all(step % lanes == 0 for step in steps)
            if variable in index.variables() and (low < 0 or high >= extent) and not agree:
                raise CompileError(
                    f"vectorize of block '{block.block_name}': lanes reach over the padded edge of "
                    f"'{buffer_name(block.inputs[0])}'",
                    location_of(block),
                )
            firsts.append(first)
        return self._inside(block, 0, values, firsts)

    def _lane_offset(self, block: BlockOp, loop: ForOp, position: int, lanes: int, values: HostValues) -> SSAValue:
        buffer = (*block.inputs, block.output)[position]
        flat = strided_index(indices_of(block, position, values.extents), strides_of(buffer))
        variable: Hashable = loop.induction_variable
        stride = flat.coefficient(variable) if flat.is_linear_in(variable) else None
        first = flat.substitute({variable: Linear(0)}, values.extents)
        aligned = first.constant % lanes == 0 and all(factor % lanes == 0 for factor in first.terms.values())
        if stride != 1 or not aligned:
            raise _decline(
                block,
                loop,
                f"'{buffer_name(buffer)}' is reached with stride {stride} from "
                f"{'aligned' if aligned else 'unaligned'} offsets",
                f"a vector copy needs stride 1 and offsets that are multiples of {lanes} elements",
            )
        return values.materialise(values.value(first))

    def _replace(self, block: BlockOp, root: Operation, operations: list[Operation]) -> None:
        parent = root.parent
        if parent is None:
            raise ValueError("the block stands nowhere")
        for op in operations:
            op.location = block.location
            parent.insert_op_before(op, root)
        discard(root)


def _decline(block: BlockOp, loop: ForOp, found: str, remedy: str) -> CompileError:
    return CompileError(
        f"vectorize of loop '{loop.loop_name}' of block '{block.block_name}': {found}; {remedy}", location_of(block)
    )
