"""Statements of a kernel body as CUDA C++."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import prod
from typing import cast

from xdsl.dialects import arith, func, gpu, memref, scf, vector
from xdsl.dialects.builtin import VectorType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.shared_memory import alignment_of
from vtac.analysis.nests.nest import element_type_of, memref_type_of, scope_of, shape_of, strides_of
from vtac.dialects import wmma
from vtac.dialects.frontend_scf import UNSIGNED
from vtac.dialects.schedule.declared import UNROLL
from vtac.dialects.wmma.declared import COMMENT, SHARED_OFFSET
from vtac.dialects.wmma.named import known_number
from vtac.errors import CompileError
from vtac.targets.cuda.emit.expressions import LOW, SUM, ExpressionPrinter, identifier
from vtac.targets.cuda.emit.extrema import extremum_text, has_constant_operand
from vtac.targets.cuda.emit.types import VECTORS, element_bytes, scalar_type, value_type

_WIDTH = 110
_SHORT = 60
_WORD = re.compile(r"[\w.]+")
_AFTER_COMMAS = re.compile(r", (?=[&A-Za-z_])")
_BEFORE_OPERATORS = re.compile(r" (?=(?:\+|-|&&|\|\||\?|:) )")


def wrapped(line: str) -> list[str]:
    """A statement as lines of at most about 110 columns: calls break after commas, others before operators."""
    margin = line[: len(line) - len(line.lstrip())] + "    "
    is_call = line.lstrip().startswith(("wmma::", "__pipeline", "const auto"))
    lines: list[str] = []
    rest = line
    while len(rest) > _WIDTH and "//" not in rest:
        place = (_break(rest, _AFTER_COMMAS, len(margin)) if is_call else 0) or _break(
            rest, _BEFORE_OPERATORS, len(margin)
        )
        if not place:
            break
        lines.append(rest[:place].rstrip())
        rest = margin + rest[place:]
    return [*lines, rest]


def _break(line: str, places: re.Pattern[str], start: int) -> int:
    """The last place to break a line at within its width; 0 when there is none."""
    return max((match.end() for match in places.finditer(line, start) if match.end() <= _WIDTH), default=0)


def _vector_alignment(op: memref.AllocOp) -> str:
    """Where an array that vectors are taken from has to start; nothing where single elements are."""
    lanes = [use.operation for use in op.memref.uses if isinstance(use.operation, vector.LoadOp)]
    if not lanes:
        return ""
    count = max(one.result.type.get_shape()[0] for one in lanes)
    return f"__align__({count * element_bytes(memref_type_of(op.memref).element_type)}) "


class StatementPrinter(ExpressionPrinter):
    """Prints blocks of operations, one statement per operation with an effect."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        super().__init__(reserved)
        self.lines: list[str] = []
        self.headers: set[str] = set()

    def print_body(self, block: Block, depth: int) -> None:
        """Print every operation of a block.

        Raises `CompileError`, with a place, for one that CUDA text has no form for.
        """
        for op in block.ops:
            try:
                self._print(op, depth)
            except CompileError as error:
                raise error if error.location else CompileError(error.message, location_of(op)) from None

    def _line(self, text: str, depth: int) -> None:
        self.lines += wrapped("  " * depth + text)

    def _print(self, op: Operation, depth: int) -> None:
        comment = COMMENT.get(op)
        if comment is not None:
            self.lines += ["", "  " * depth + f"// {comment}"]
        if isinstance(op, wmma.VariableOp):
            kind = "const int" if known_number(op.index) is None else "constexpr int"
            self._line(f"{kind} {self.name(op.result, 'index')} = {self.text(op.index)};", depth)
        elif (
            self._print_extremum(op, depth)
            or self.print_pure(op)
            or isinstance(op, memref.ReinterpretCastOp | func.ReturnOp | scf.YieldOp)
        ):
            return
        elif isinstance(op, gpu.BlockIdOp | gpu.ThreadIdOp):
            prefix = "blockIdx" if isinstance(op, gpu.BlockIdOp) else "threadIdx"
            index = f"{prefix}.{op.dimension.data.value}"  # unsigned; index arithmetic must be signed
            self._line(f"const int {self.name(op.result)} = static_cast<int>({index});", depth)
        elif isinstance(op, scf.ForOp):
            self._loop(op, depth)
        elif isinstance(op, scf.IfOp):
            self._choice(op, depth)
        elif isinstance(op, wmma.RoutineOp):
            self._routine(op, depth)
        elif isinstance(op, wmma.CallOp):
            arguments = ", ".join(self.text(argument) for argument in op.arguments)
            self._line(f"{self.text(op.routine)}({arguments});", depth)
        elif isinstance(op, memref.AllocOp):
            self._array(op, depth)
        elif isinstance(op, gpu.BarrierOp):
            self._line("__syncthreads();", depth)
        elif isinstance(op, memref.LoadOp | memref.StoreOp | vector.LoadOp | vector.StoreOp):
            self._memory(op, depth)
        elif not self._warp(op, depth):
            raise CompileError(f"'{op.name}' has no CUDA text", location_of(op))

    def _print_extremum(self, op: Operation, depth: int) -> bool:
        if not isinstance(op, arith.MaximumfOp | arith.MinimumfOp):
            return False
        self.inline[op.result] = (extremum_text(op, lambda value: self._repeated(value, op, depth)), LOW)
        return True

    def _repeated(self, value: SSAValue, op: arith.MaximumfOp | arith.MinimumfOp, depth: int) -> str:
        """An operand that is written several times: as a variable, if it is more than a name or a short expression."""
        text = self.text(value, SUM)
        is_short = len(text) <= _SHORT and has_constant_operand(op)
        if is_short or _WORD.fullmatch(text):
            return text
        name = self.fresh(identifier(value.name_hint or "value"))
        self._line(f"const {scalar_type(value.type)} {name} = {text};", depth)
        return name

    def _scope(self, block: Block, depth: int) -> None:
        """A block between braces: names of its own are free again after it."""
        taken = set(self.taken)
        self.print_body(block, depth)
        self.taken = taken

    def _loop(self, op: scf.ForOp, depth: int) -> None:
        if UNSIGNED in op.properties:
            raise CompileError("a loop that compares unsigned numbers has no CUDA text", location_of(op))
        carried = self._carried(op, depth)
        taken = set(self.taken)
        name = self.name(op.body.block.args[0], "i")
        bounds = [self.text(value) for value in (op.lb, op.ub, op.step)]
        step = f"++{name}" if bounds[2] == "1" else f"{name} += {bounds[2]}"
        pragma = self._pragma(op)
        if pragma:
            self._line(pragma, depth)
        self._line(f"for (int {name} = {bounds[0]}; {name} < {bounds[1]}; {step}) {{", depth)
        self.print_body(op.body.block, depth + 1)
        self._step(carried, op.body.block.last_op, depth + 1)
        self.taken = taken
        self._line("}", depth)
        self.names.update(zip(op.results, carried.values(), strict=True))

    def _pragma(self, op: scf.ForOp) -> str:
        """What is said to compilers in front of a loop; empty where they may do with it as they like."""
        return "#pragma unroll" if UNROLL.is_on(op) else ""

    def _routine(self, op: wmma.RoutineOp, depth: int) -> None:
        name, taken = self.name(op.routine, "routine"), set(self.taken)
        arguments = ", ".join(f"const int {self.name(argument, 'index')}" for argument in op.body.block.args)
        self._line(f"const auto {name} = [&]({arguments}) {{", depth)
        self.print_body(op.body.block, depth + 1)
        self.taken = taken
        self._line("};", depth)

    def _carried(self, op: scf.ForOp, depth: int) -> dict[SSAValue, str]:
        """Variables for the values that a loop carries, declared as they start."""
        names: dict[SSAValue, str] = {}
        for argument, start in zip(op.body.block.args[1:], op.iter_args, strict=True):
            text = self.text(start)
            names[argument] = self.name(argument, "carried")
            self._line(f"{value_type(argument.type)} {names[argument]} = {text};", depth)
        return names

    def _step(self, carried: Mapping[SSAValue, str], end: Operation | None, depth: int) -> None:
        """Each variable gets its next value; one whose old value a later one needs is set aside first."""
        following = dict(zip(carried, end.operands if end is not None else (), strict=True))
        texts = {argument: self.text(value) for argument, value in following.items()}
        changed: set[SSAValue] = set()
        for argument, value in following.items():
            if changed & self._read_by(value):
                name = self.fresh(f"next_{carried[argument]}")
                self._line(f"const {value_type(argument.type)} {name} = {texts[argument]};", depth)
                texts[argument] = name
            if value is not argument:
                changed.add(argument)
        for argument, name in carried.items():
            if texts[argument] != name:
                self._line(f"{name} = {texts[argument]};", depth)

    def _read_by(self, value: SSAValue) -> set[SSAValue]:
        """The values with names that an expression is printed from."""
        if value not in self.inline or not isinstance(value.owner, Operation):
            return {value}
        return {read for operand in value.owner.operands for read in self._read_by(operand)}

    def _choice(self, op: scf.IfOp, depth: int) -> None:
        results = [self.name(result) for result in op.results]
        for result, name in zip(op.results, results, strict=True):
            self._line(f"{value_type(result.type)} {name};", depth)
        self._line(f"if ({self._test(op)}) {{", depth)
        for position, region in enumerate((op.true_region, op.false_region)):
            if not region.blocks:
                continue
            if position:
                self._line("} else {", depth)
            self._scope(region.block, depth + 1)
            last = region.block.last_op
            for name, value in zip(results, last.operands if last is not None else (), strict=True):
                self._line(f"{name} = {self.text(value)};", depth + 1)
        self._line("}", depth)

    def _test(self, op: scf.IfOp) -> str:
        """The condition of a choice."""
        return self.text(op.cond)

    def _array(self, op: memref.AllocOp, depth: int) -> None:
        """An array in shared memory, or one that each thread has for itself."""
        shape = shape_of(op.memref)
        total = prod(shape[:1]) * prod(strides_of(op.memref)[:1])
        kind = scalar_type(element_type_of(op.memref))
        name = self.name(op.memref, scope_of(op.memref))
        shown = " x ".join(map(str, shape))
        offset = SHARED_OFFSET.get(op)
        if scope_of(op.memref) == "local":
            self._line(f"{_vector_alignment(op)}{kind} {name}[{total}];", depth)
        elif offset is not None:
            place = f"reinterpret_cast<{kind} *>(shared_memory + {offset})"
            self._line(f"{kind} *const {name} = {place};  // {total} elements", depth)
        else:
            self._line(f"__shared__ __align__({alignment_of(op)}) {kind} {name}[{total}];  // {shown}", depth)

    def _memory(self, op: memref.LoadOp | memref.StoreOp | vector.LoadOp | vector.StoreOp, depth: int) -> None:
        base = op.memref if isinstance(op, memref.LoadOp | memref.StoreOp) else op.base
        place = f"{self.text(base)}[{self.text(op.indices[0])}]"
        if isinstance(op, memref.LoadOp):
            kind = scalar_type(op.res.type)
            self._line(f"const {kind} {self.name(op.res, 'loaded')} = {place};", depth)
        elif isinstance(op, memref.StoreOp):
            self._line(f"{place} = {self.text(op.value)};", depth)
        else:
            self._vector(op, base, place, depth)

    def _vector(self, op: vector.LoadOp | vector.StoreOp, base: SSAValue, place: str, depth: int) -> None:
        lanes = op.result.type if isinstance(op, vector.LoadOp) else op.vector.type
        count = cast(VectorType[Attribute], lanes).get_shape()[0]
        kind = VECTORS[count * element_bytes(memref_type_of(base).element_type)]
        if isinstance(op, vector.LoadOp):
            name = self.name(op.result, "lanes")
            self._line(f"const {kind} {name} = *reinterpret_cast<const {kind} *>(&{place});", depth)
        else:
            self._line(f"*reinterpret_cast<{kind} *>(&{place}) = {self.text(op.vector)};", depth)

    def _warp(self, op: Operation, depth: int) -> bool:
        """Print what warps do together; whether it is that. Printers of such operations add theirs."""
        del op, depth
        return False
