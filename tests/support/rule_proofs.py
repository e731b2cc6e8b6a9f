"""Proofs that a program computes what its source says, for all inputs, with a solver over bit vectors.

A rule of the compiler that changes arithmetic is proven by a small function that has the pattern. The
source is evaluated on terms as it stands; `packed` and `compiled` are what the compiler made of it: device
functions of linalg, or instruction streams. A difference is reported with the inputs that show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Literal, TypeAlias, cast

import numpy as np
import z3
from lowering import prepare
from numpy.typing import NDArray
from symbolic_linalg import Symbols, evaluate_symbols, symbols
from symbolic_machine import SymbolicMachine
from symbolic_scalars import Scalar, Scalars, term, width
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp

import vtac
from vtac.evaluate import evaluate
from vtac.evaluate.buffers import element_type, shape_of_type
from vtac.evaluate.functions import function_of
from vtac.pipelines import Runner
from vtac.targets.vta.plain_pipeline import plain_pipeline
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.text.context import make_context

Level: TypeAlias = Literal["packed", "compiled"]
TIMEOUT = 20_000
"""Milliseconds of one proof; the slowest takes a tenth of it."""


def prove(text: str, level: Level, lanes: Sequence[int] = (0,), *, acc_8bit: bool = False) -> None:
    """Prove that a function computes the same at `level` for every value of the elements `lanes` of its arguments.

    The other elements are zeros, which keeps terms small. Raises `AssertionError` with inputs that tell the two
    apart, where the solver gives up, and where something is left to the host.
    """
    module = vtac.parse(text)
    source = function_of(module)
    arguments = [_argument(index, source, lanes) for index in range(len(source.body.block.args))]
    scalars = Scalars()
    expected = evaluate_symbols(source, arguments, scalars)
    defined = Scalars()
    found = _lowered(module, level, arguments, defined, acc_8bit=acc_8bit)
    differences = [z3.Not(condition) for condition in defined.defined]
    differences += [
        term(a, _bits(source, index)) != term(b, _bits(source, index))
        for index, (left, right) in enumerate(zip(expected, found, strict=True))
        for a, b in zip(left.reshape(-1).tolist(), right.reshape(-1).tolist(), strict=True)
        if not (isinstance(a, int) and a == b)
    ]
    solver = z3.Solver()
    solver.set("timeout", TIMEOUT)
    solver.add(*scalars.defined, z3.simplify(z3.Or(*differences), som=True))
    outcome = solver.check()
    if outcome == z3.sat:
        raise AssertionError(_counterexample(solver.model(), arguments, expected, found))
    assert outcome == z3.unsat, f"the solver gives up: {solver.reason_unknown()}"


def prove_exhaustively(
    text: str, level: Level, given: Sequence[NDArray[np.int8]] | None = None, *, host: bool = False
) -> None:
    """The same by computing every case: of the arrays that are given, else of 256 x 256 tensors.

    One or two tensors of i8 hold all pairs of bytes, one of i16 all its numbers. `host` lets the host
    prepare operands for a device function, which there must be.
    """
    module = vtac.parse(text)
    arrays = _every_case(function_of(module)) if given is None else given
    expected = evaluate(module, *arrays)
    program = packed(module, host=host) if level == "packed" else vtac.compile(module, host=host)
    found = evaluate(program, *arrays) if isinstance(program, ModuleOp) else program(*arrays)
    wrong = np.argwhere(np.asarray(expected) != np.asarray(found))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        pair = [np.asarray(one)[place] for one in (expected, found)]
        raise AssertionError(f"at {place} the source gives {pair[0]}, what was made of it {pair[1]}")


def _every_case(function: FuncOp) -> list[NDArray[np.int8] | NDArray[np.int16]]:
    arguments = function.body.block.args
    if width(element_type(arguments[0].type)) == 16:
        return [np.arange(-(1 << 15), 1 << 15, dtype=np.int16).reshape(256, 256)]
    every = np.arange(-128, 128, dtype=np.int8)
    return list(np.meshgrid(every, every, indexing="ij")[: len(arguments)])


def packed(module: ModuleOp, *, host: bool = False) -> ModuleOp:
    """A copy, split into a host function and device functions. Raises `CompileError` for what is left to the host."""
    work = prepare(module)
    Runner(make_context(), verify_phases=False).run_phases(plain_pipeline(host=host).through("packed"), work)
    assert any(isinstance(op, CallOp) for op in work.walk()), "nothing runs on the VTA"
    return work


def elementwise(body: str, inputs: Sequence[str] = ("i32",), result: str = "i8", shape: str = "1x16") -> str:
    """A function of one `linalg.generic` on tensors `a`, `b`, ... of these types.

    The body's lines are shorthand, `y = addi a 5 : i32` for `%y = arith.addi %a, %c : i32` with a constant 5
    before it. The last one gives the result.
    """
    names = "abcdefgh"[: len(inputs)]
    tensors = [f"tensor<{shape}x{kind}>" for kind in (*inputs, result)]
    arguments = ", ".join(f"%{name}s: {kind}" for name, kind in zip(names, tensors, strict=False))
    scalars = ", ".join(f"%{name}: {kind}" for name, kind in zip((*names, "out"), (*inputs, result), strict=True))
    maps = ", ".join(["affine_map<(i, j) -> (i, j)>"] * len(tensors))
    taken = f"ins({', '.join(f'%{name}s' for name in names)} : {', '.join(tensors[:-1])})"
    lines = expanded(body)
    last, text = lines[-1].split(" = ")[0], "\n    ".join(lines)
    return f"""func.func @rule({arguments}) -> {tensors[-1]} {{
  %e = tensor.empty() : {tensors[-1]}
  %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel", "parallel"]}}
      {taken} outs(%e : {tensors[-1]}) {{
  ^bb0({scalars}):
    {text}
    linalg.yield {last} : {result}
  }} -> {tensors[-1]}
  func.return %r : {tensors[-1]}
}}"""


def expanded(lines: str) -> list[str]:
    """Lines of shorthand as operations."""
    return [line for short in lines.strip().split("\n") for line in _operation(short.strip())]


def _operation(short: str) -> list[str]:
    """One line of shorthand as operations of `arith` and `math`."""
    start, kind = short.split(" : ")
    name, (op, *words) = start.split(" = ")[0], start.split(" = ")[1].split()
    lines: list[str] = []
    for place, word in enumerate(words):
        if word[0].isdigit() or word[0] == "-":
            constant = f"%{name}_{place}"
            lines.append(f"{constant} = arith.constant {word} : {kind.split(' to ')[0]}")
            words[place] = constant
        elif not word.endswith(","):
            words[place] = f"%{word}"
    operands = ", ".join(words).replace(",,", ",")
    return [*lines, f"%{name} = {op if '.' in op else f'arith.{op}'} {operands} : {kind}"]


def _argument(index: int, function: FuncOp, lanes: Sequence[int]) -> Symbols:
    value = function.body.block.args[index]
    shape = tuple(shape_of_type(value.type))
    bits = width(element_type(value.type))
    elements: list[Scalar | None] = [0] * prod(shape)
    for lane in lanes:
        if lane < len(elements):
            elements[lane] = z3.BitVec(f"{value.name_hint or index}[{lane}]", bits)
    return symbols(shape, elements)


def _bits(function: FuncOp, result: int) -> int:
    return width(element_type(list(function.function_type.outputs)[result]))


def _lowered(
    module: ModuleOp, level: Level, arguments: Sequence[Symbols], scalars: Scalars, *, acc_8bit: bool
) -> tuple[Symbols, ...]:
    if level == "packed":
        return evaluate_symbols(function_of(packed(module)), arguments, scalars)
    program = vtac.compile(module, host=False, acc_8bit=acc_8bit)
    assert isinstance(program, HostProgram)

    def call(name: str, values: Sequence[Symbols]) -> Sequence[Symbols]:
        return SymbolicMachine(program.devices[name]).run(values)

    return evaluate_symbols(program.host_function, arguments, scalars, call)


def _counterexample(
    model: z3.ModelRef, arguments: Sequence[Symbols], expected: Sequence[Symbols], found: Sequence[Symbols]
) -> str:
    inputs = [
        f"{one} = {_number(model, one)}"
        for array in arguments
        for one in array.reshape(-1).tolist()
        if isinstance(one, z3.BitVecRef)
    ]
    pairs = [
        (_number(model, a), _number(model, b))
        for left, right in zip(expected, found, strict=True)
        for a, b in zip(left.reshape(-1).tolist(), right.reshape(-1).tolist(), strict=True)
    ]
    wrong = [pair for pair in pairs if pair[0] != pair[1]]
    source, machine = wrong[0] if wrong else (pairs[0][0], "undefined")
    return f"for {', '.join(inputs)} the source gives {source}, what was made of it {machine}"


def _number(model: z3.ModelRef, value: object) -> object:
    if isinstance(value, int):
        return value
    found = model.eval(cast(z3.ExprRef, value), model_completion=True)
    return found.as_signed_long() if isinstance(found, z3.BitVecNumRef) else found
