"""Statements and expressions of a kernel body as CUDA C++."""

from __future__ import annotations

from typing import cast

from xdsl.dialects import arith, func, gpu, memref, scf, vector
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FloatAttr, IntegerAttr, VectorType
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
)

from vtac.cuda.emit_types import VECTORS, element_bytes, fragment_type, scalar_type, value_type
from vtac.dialects import wmma
from vtac.dialects.diagnostics import CompileError
from vtac.passes.analysis.locations import location_of
from vtac.passes.analysis.nest import buffer_name, element_type_of, memref_type_of, shape_of, strides_of
from vtac.passes.gpu_check_shared_memory import SHARED_OFFSET

_INFIX: dict[type[Operation], str] = {
    arith.AddiOp: "+",
    arith.SubiOp: "-",
    arith.MuliOp: "*",
    arith.AddfOp: "+",
    arith.SubfOp: "-",
    arith.MulfOp: "*",
    arith.DivfOp: "/",
    arith.AndIOp: "&&",
    arith.ShRSIOp: ">>",
}
_CALLS: dict[type[Operation], str] = {
    arith.MaxSIOp: "max",
    arith.MinSIOp: "min",
    arith.MaximumfOp: "fmaxf",
    arith.MinimumfOp: "fminf",
}
_CASTS = (arith.ExtFOp, arith.TruncFOp, arith.ExtSIOp, arith.TruncIOp, arith.SIToFPOp)
_SIGNS = {"eq": "==", "ne": "!=", "slt": "<", "sle": "<=", "sgt": ">", "sge": ">="}
_PREDICATES = tuple(_SIGNS.values())
_LOW, _SUM, _PRODUCT, _ATOM = range(4)
"""How tightly an expression binds, so that only needed parentheses are printed."""

Text = tuple[str, int]


class StatementPrinter:
    """Prints blocks of operations; pure index arithmetic is printed where it is used."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.headers: set[str] = set()
        self.names: dict[SSAValue, str] = {}
        self.inline: dict[SSAValue, Text] = {}
        self.taken: set[str] = set()

    def print_body(self, block: Block, depth: int) -> None:
        """Print every operation of a block."""
        for op in block.ops:
            self._print(op, depth)

    def _line(self, text: str, depth: int) -> None:
        self.lines.append("  " * depth + text)

    def _name(self, value: SSAValue, default: str = "value") -> str:
        if value not in self.names:
            base = (value.name_hint or default).replace(".", "_")
            name, count = base, 1
            while name in self.taken:
                name, count = f"{base}_{count}", count + 1
            self.taken.add(name)
            self.names[value] = name
        return self.names[value]

    def text(self, value: SSAValue, level: int = _LOW) -> str:
        """A value as an expression, in parentheses when it binds less than `level` needs."""
        if value in self.inline:
            text, own = self.inline[value]
            return f"({text})" if own < level else text
        owner = value.owner
        if isinstance(owner, memref.ReinterpretCastOp):
            return self.text(owner.source)
        if isinstance(owner, Block) and isinstance(owner.parent_op(), func.FuncOp):
            return buffer_name(value)
        return self._name(value)

    def _print(self, op: Operation, depth: int) -> None:
        if self._print_pure(op) or isinstance(op, memref.ReinterpretCastOp | func.ReturnOp | scf.YieldOp):
            return
        if isinstance(op, gpu.BlockIdOp | gpu.ThreadIdOp):
            prefix = "blockIdx" if isinstance(op, gpu.BlockIdOp) else "threadIdx"
            index = f"{prefix}.{op.dimension.data.value}"  # unsigned; index arithmetic must be signed
            self._line(f"const int {self._name(op.result)} = static_cast<int>({index});", depth)
        elif isinstance(op, scf.ForOp):
            self._loop(op, depth)
        elif isinstance(op, scf.IfOp):
            self._choice(op, depth)
        elif isinstance(op, memref.AllocOp):
            self._shared(op, depth)
        elif isinstance(op, gpu.BarrierOp):
            self._line("__syncthreads();", depth)
        elif isinstance(op, memref.LoadOp | memref.StoreOp | vector.LoadOp | vector.StoreOp):
            self._memory(op, depth)
        elif not self._warp(op, depth):
            raise CompileError(f"'{op.name}' has no CUDA text", location_of(op))

    def _print_pure(self, op: Operation) -> bool:
        """Remember an operation without effect as the expression it is."""
        if isinstance(op, arith.ConstantOp):
            self.inline[op.result] = (self._constant(op.value), _ATOM)
        elif isinstance(op, ApplyOp):
            dims = [self.inline.get(value, (self.text(value), _ATOM)) for value in op.mapOperands]
            self.inline[op.result] = _affine(op.map.data.results[0], dims)
        elif isinstance(op, arith.CmpiOp):
            sign = _PREDICATES[op.predicate.value.data]
            self.inline[op.result] = (f"{self.text(op.lhs, _SUM)} {sign} {self.text(op.rhs, _SUM)}", _LOW)
        elif type(op) in _INFIX:
            level = _PRODUCT if _INFIX[type(op)] in ("*", "/") else _SUM if _INFIX[type(op)] in ("+", "-") else _LOW
            left, right = self.text(op.operands[0], level), self.text(op.operands[1], min(level + 1, _ATOM))
            self.inline[op.results[0]] = (f"{left} {_INFIX[type(op)]} {right}", level)
        elif type(op) in _CALLS:
            arguments = ", ".join(self.text(operand) for operand in op.operands)
            self.inline[op.results[0]] = (f"{_CALLS[type(op)]}({arguments})", _ATOM)
        elif isinstance(op, _CASTS):
            kind = scalar_type(op.results[0].type)
            self.inline[op.results[0]] = (f"static_cast<{kind}>({self.text(op.operands[0])})", _ATOM)
        elif isinstance(op, arith.SelectOp):
            parts = [self.text(operand, _SUM) for operand in op.operands]
            self.inline[op.result] = (f"{parts[0]} ? {parts[1]} : {parts[2]}", _LOW)
        else:
            return False
        return True

    def _constant(self, value: Attribute) -> str:
        if isinstance(value, DenseIntOrFPElementsAttr):
            return f"{value_type(value.type)}{{}}"  # only zero vectors are made
        if isinstance(value, FloatAttr):
            text = repr(float(value.value.data))
            kind = str(value.type)
            return f"{text}f" if kind == "f32" else f"static_cast<{scalar_type(value.type)}>({text}f)"
        return str(cast(IntegerAttr, value).value.data)

    def _loop(self, op: scf.ForOp, depth: int) -> None:
        name = self._name(op.body.block.args[0], "i")
        bounds = [self.text(value) for value in (op.lb, op.ub, op.step)]
        step = f"++{name}" if bounds[2] == "1" else f"{name} += {bounds[2]}"
        if "unroll" in op.attributes:
            self._line("#pragma unroll", depth)
        self._line(f"for (int {name} = {bounds[0]}; {name} < {bounds[1]}; {step}) {{", depth)
        self.print_body(op.body.block, depth + 1)
        self._line("}", depth)

    def _choice(self, op: scf.IfOp, depth: int) -> None:
        results = [self._name(result) for result in op.results]
        for result, name in zip(op.results, results, strict=True):
            self._line(f"{value_type(result.type)} {name};", depth)
        self._line(f"if ({self.text(op.cond)}) {{", depth)
        for position, region in enumerate((op.true_region, op.false_region)):
            if not region.blocks:
                continue
            if position:
                self._line("} else {", depth)
            self.print_body(region.block, depth + 1)
            last = region.block.last_op
            for name, value in zip(results, last.operands if last is not None else (), strict=True):
                self._line(f"{name} = {self.text(value)};", depth + 1)
        self._line("}", depth)

    def _shared(self, op: memref.AllocOp, depth: int) -> None:
        shape = shape_of(op.memref)
        total = shape[0] * strides_of(op.memref)[0]
        kind = scalar_type(element_type_of(op.memref))
        name = self._name(op.memref, "shared")
        shown = " x ".join(map(str, shape))
        offset = op.attributes.get(SHARED_OFFSET)
        if isinstance(offset, IntegerAttr):
            place = f"reinterpret_cast<{kind} *>(shared_memory + {offset.value.data})"
            self._line(f"{kind} *const {name} = {place};  // {total} elements", depth)
        else:
            self._line(f"__shared__ __align__(128) {kind} {name}[{total}];  // {shown}", depth)

    def _memory(self, op: memref.LoadOp | memref.StoreOp | vector.LoadOp | vector.StoreOp, depth: int) -> None:
        base = op.memref if isinstance(op, memref.LoadOp | memref.StoreOp) else op.base
        place = f"{self.text(base)}[{self.text(op.indices[0])}]"
        if isinstance(op, memref.LoadOp):
            kind = scalar_type(op.res.type)
            self._line(f"const {kind} {self._name(op.res, 'loaded')} = {place};", depth)
        elif isinstance(op, memref.StoreOp):
            self._line(f"{place} = {self.text(op.value)};", depth)
        else:
            self._vector(op, base, place, depth)

    def _vector(self, op: vector.LoadOp | vector.StoreOp, base: SSAValue, place: str, depth: int) -> None:
        lanes = op.result.type if isinstance(op, vector.LoadOp) else op.vector.type
        count = cast(VectorType[Attribute], lanes).get_shape()[0]
        kind = VECTORS[count * element_bytes(memref_type_of(base).element_type)]
        if isinstance(op, vector.LoadOp):
            name = self._name(op.result, "lanes")
            self._line(f"const {kind} {name} = *reinterpret_cast<const {kind} *>(&{place});", depth)
        else:
            self._line(f"*reinterpret_cast<{kind} *>(&{place}) = {self.text(op.vector)};", depth)

    def _warp(self, op: Operation, depth: int) -> bool:
        if isinstance(op, wmma.FragmentsOp):
            fragment = op.fragments.type.data
            self._line(f"{fragment_type(fragment)} {self._name(op.fragments, 'fragment')}[{fragment.count}];", depth)
        elif isinstance(op, wmma.FillFragmentOp):
            self._line(f"wmma::fill_fragment({self._fragment(op)}, {self._constant(op.value)});", depth)
        elif isinstance(op, wmma.LoadMatrixSyncOp):
            self._line(f"wmma::load_matrix_sync({self._fragment(op)}, {self._tile(op)});", depth)
        elif isinstance(op, wmma.StoreMatrixSyncOp):
            source = self._fragment(op)
            memory = f"&{self.text(op.memory)}[{self.text(op.offset)}]"
            self._line(
                f"wmma::store_matrix_sync({memory}, {source}, {op.leading.value.data}, wmma::mem_row_major);", depth
            )
        elif isinstance(op, wmma.MmaSyncOp):
            accumulator = f"{self.text(op.accumulator)}[{self.text(op.accumulator_index)}]"
            a = f"{self.text(op.a)}[{self.text(op.a_index)}]"
            b = f"{self.text(op.b)}[{self.text(op.b_index)}]"
            self._line(f"wmma::mma_sync({accumulator}, {a}, {b}, {accumulator});", depth)
        elif isinstance(op, wmma.MapFragmentOp):
            self._map(op, depth)
        else:
            return self._asynchronous(op, depth)
        return True

    def _fragment(
        self, op: wmma.FillFragmentOp | wmma.LoadMatrixSyncOp | wmma.StoreMatrixSyncOp | wmma.MapFragmentOp
    ) -> str:
        return f"{self.text(op.fragments)}[{self.text(op.index)}]"

    def _tile(self, op: wmma.LoadMatrixSyncOp) -> str:
        return f"&{self.text(op.memory)}[{self.text(op.offset)}], {op.leading.value.data}"

    def _map(self, op: wmma.MapFragmentOp, depth: int) -> None:
        fragment = self._fragment(op)
        self._line("#pragma unroll", depth)
        self._line(f"for (int element = 0; element < {fragment}.num_elements; ++element) {{", depth)
        self.inline[op.body.block.args[0]] = (f"{fragment}.x[element]", _ATOM)
        for inner in op.body.block.ops:
            if isinstance(inner, wmma.YieldOp):
                self._line(f"{fragment}.x[element] = {self.text(inner.value)};", depth + 1)
            else:
                self._print(inner, depth + 1)
        self._line("}", depth)

    def _asynchronous(self, op: Operation, depth: int) -> bool:
        if isinstance(op, wmma.AsyncCopyOp):
            count = op.elements.value.data
            size = count * element_bytes(element_type_of(op.target))
            target = f"&{self.text(op.target)}[{self.text(op.target_offset)}]"
            source = f"&{self.text(op.source)}[{self.text(op.source_offset)}]"
            zero = "" if op.present is None else f", {self.text(op.present, _SUM)} ? 0 : {size}"
            self._line(f"__pipeline_memcpy_async({target}, {source}, {size}{zero});", depth)
        elif isinstance(op, wmma.AsyncCommitOp):
            self._line("__pipeline_commit();", depth)
        elif isinstance(op, wmma.AsyncWaitOp):
            self._line(f"__pipeline_wait_prior({op.pending.value.data});", depth)
        else:
            return False
        self.headers.add("cuda_pipeline.h")
        return True


def _affine(expr: AffineExpr, dims: list[Text]) -> Text:
    """An affine expression over given operand texts; floor division is of non-negative numbers."""
    if isinstance(expr, AffineConstantExpr):
        return str(expr.value), _ATOM if expr.value >= 0 else _SUM
    if isinstance(expr, AffineDimExpr):
        return dims[expr.position]
    if not isinstance(expr, AffineBinaryOpExpr):
        raise CompileError(f"unknown affine expression {expr}")
    left, right = _affine(expr.lhs, dims), _affine(expr.rhs, dims)
    if expr.kind is AffineBinaryOpKind.Add:
        if isinstance(expr.rhs, AffineConstantExpr) and expr.rhs.value < 0:
            return f"{_wrapped(left, _SUM)} - {-expr.rhs.value}", _SUM
        if right[0].startswith("-"):
            return f"{_wrapped(left, _SUM)} - {right[0][1:]}", _SUM
        if left[0].startswith("-") and not right[0].startswith("-"):
            return f"{_wrapped(right, _SUM)} - {left[0][1:]}", _SUM
        return f"{_wrapped(left, _SUM)} + {_wrapped(right, _SUM)}", _SUM
    signs = {AffineBinaryOpKind.Mul: "*", AffineBinaryOpKind.FloorDiv: "/", AffineBinaryOpKind.Mod: "%"}
    if expr.kind not in signs:
        raise CompileError(f"{expr}: ceildiv has no CUDA text")
    if expr.kind is AffineBinaryOpKind.Mul and isinstance(expr.rhs, AffineConstantExpr) and expr.rhs.value < 0:
        factor = "" if expr.rhs.value == -1 else f" * {-expr.rhs.value}"
        return f"-{_wrapped(left, _ATOM if not factor else _PRODUCT)}{factor}", _PRODUCT
    return f"{_wrapped(left, _PRODUCT)} {signs[expr.kind]} {_wrapped(right, _ATOM)}", _PRODUCT


def _wrapped(text: Text, level: int) -> str:
    return f"({text[0]})" if text[1] < level else text[0]
