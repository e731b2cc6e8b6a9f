"""Forms in which frontends print reductions, gathers, loops and scalars: exact, and on the VTA where it has them."""

from __future__ import annotations

import numpy as np
import pytest
from plain_programs import said

import vtac
from vtac.evaluate import evaluate

X = "tensor<4x16xi32>"
BOTH = "affine_map<(d0, d1) -> (d0, d1)>"
SUM = (
    "^bb0(%a: i8, %o: i32):\n  %w = arith.extsi %a : i8 to i32\n  %r = arith.addi %o, %w : i32\n  linalg.yield %r : i32"
)


def function(arguments: str, result: str, body: str) -> str:
    return f"func.func @f({arguments}) -> {result} {{\n{body}\n}}\n"


def generic(maps: str, kinds: str, operands: str, body: str, result: str) -> str:
    return (
        f"linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} {operands} {{\n{body}\n}} -> {result}"
    )


EACH = '"parallel", "parallel"'
MEAN = generic(
    "affine_map<(a, b, c, d) -> (a, b, c, d)>, affine_map<(a, b, c, d) -> (a, b, 0, 0)>",
    '"parallel", "parallel", "reduction", "reduction"',
    "ins(%x : tensor<1x20x7x7xi8>) outs(%s : tensor<1x20x1x1xi32>)",
    SUM,
    "tensor<1x20x1x1xi32>",
)
ROWS = generic(
    f"{BOTH}, affine_map<(a, b) -> (a)>",
    '"parallel", "reduction"',
    "ins(%x : tensor<6x20xi8>) outs(%s : tensor<6xi32>)",
    SUM,
    "tensor<6xi32>",
)
PLUS = "^bb0(%a: i32, %o: i32):\n  %v = arith.addi %a, %n : i32\n  linalg.yield %v : i32"
ONE = f"ins(%a0 : {X}) outs(%e : {X})"
FORMS = {
    "a mean that keeps its dimensions": function(
        "%x: tensor<1x20x7x7xi8>, %s: tensor<1x20x1x1xi32>",
        "tensor<1x20x1x1xi32>",
        f"%y = {MEAN}\nfunc.return %y : tensor<1x20x1x1xi32>",
    ),
    "sums along rows": function(
        "%x: tensor<6x20xi8>, %s: tensor<6xi32>", "tensor<6xi32>", f"%y = {ROWS}\nfunc.return %y : tensor<6xi32>"
    ),
    "a matrix and a vector": function(
        "%x: tensor<20x32xi8>, %v: tensor<32xi8>, %s: tensor<20xi32>",
        "tensor<20xi32>",
        "%y = linalg.matvec ins(%x, %v : tensor<20x32xi8>, tensor<32xi8>) outs(%s : tensor<20xi32>) -> tensor<20xi32>\n"
        "func.return %y : tensor<20xi32>",
    ),
    "an element of a constant of rank 0": function(
        f"%a0: {X}",
        X,
        "%k = arith.constant dense<3> : tensor<i32>\n%n = tensor.extract %k[] : tensor<i32>\n"
        f"%e = tensor.empty() : {X}\n%y = {generic(f'{BOTH}, {BOTH}', EACH, ONE, PLUS, f'({X})')}\n"
        f"func.return %y : {X}",
    ),
    "a loop": function(
        f"%x: {X}",
        X,
        "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n%c3 = arith.constant 3 : index\n"
        f"%n = arith.constant 5 : i32\n%e = tensor.empty() : {X}\n"
        f"%y = scf.for %i = %c0 to %c3 step %c1 iter_args(%a0 = %x) -> ({X}) {{\n"
        f"%z = {generic(f'{BOTH}, {BOTH}', EACH, ONE, PLUS, X)}\nscf.yield %z : {X}\n}}\nfunc.return %y : {X}",
    ),
    "several results": function(
        f"%x: {X}",
        f"({X}, tensor<4x16xi8>)",
        f"%e = tensor.empty() : {X}\n%t = tensor.empty() : tensor<4x16xi8>\n%y:2 = "
        + generic(
            f"{BOTH}, {BOTH}, {BOTH}",
            EACH,
            f"ins(%x : {X}) outs(%e, %t : {X}, tensor<4x16xi8>)",
            "^bb0(%a: i32, %o: i32, %p: i8):\n  %v = arith.addi %a, %a : i32\n"
            "  %b = arith.trunci %v : i32 to i8\n  linalg.yield %v, %b : i32, i8",
            f"({X}, tensor<4x16xi8>)",
        )
        + f"\nfunc.return %y#0, %y#1 : {X}, tensor<4x16xi8>",
    ),
}
INDICES = "%i = linalg.index 0 : index\n  %j = linalg.index 1 : index"
GATHERS = {
    "of an input": (
        function(
            "%x: tensor<10x16xi8>, %k: tensor<3xi32>",
            "tensor<3x16xi8>",
            "%e = tensor.empty() : tensor<3x16xi8>\n%y = "
            + generic(
                f"affine_map<(a, b) -> (a)>, {BOTH}",
                EACH,
                "ins(%k : tensor<3xi32>) outs(%e : tensor<3x16xi8>)",
                f"^bb0(%n: i32, %o: i8):\n  {INDICES}\n  %r = arith.index_cast %n : i32 to index\n"
                "  %v = tensor.extract %x[%r, %j] : tensor<10x16xi8>\n  linalg.yield %v : i8",
                "tensor<3x16xi8>",
            )
            + "\nfunc.return %y : tensor<3x16xi8>",
        ),
        1,
    ),
    "of constants": (
        function(
            f"%a0: {X}",
            X,
            f"%w = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi32>\n%e = tensor.empty() : {X}\n"
            "%t = tensor.empty() : tensor<2x2xi32>\n%f = "
            + generic(
                BOTH,
                EACH,
                "outs(%t : tensor<2x2xi32>)",
                f"^bb0(%o: i32):\n  {INDICES}\n  %one = arith.constant 1 : index\n  %r = arith.subi %one, %j : index\n"
                "  %v = tensor.extract %w[%i, %r] : tensor<2x2xi32>\n  linalg.yield %v : i32",
                "tensor<2x2xi32>",
            )
            + "\n%c0 = arith.constant 0 : index\n%n = tensor.extract %f[%c0, %c0] : tensor<2x2xi32>\n"
            f"%y = {generic(f'{BOTH}, {BOTH}', EACH, ONE, PLUS, X)}\nfunc.return %y : {X}",
        ),
        0,
    ),
}


def run(text: str) -> tuple[vtac.HostProgram, bool]:
    """The program, and whether it gives what its source says."""
    program = vtac.compile(text)
    rng = np.random.default_rng(len(text))
    arrays = [rng.integers(0, 9, one.shape).astype(one.dtype) for one in program.arguments]
    found, expected = program(*arrays), evaluate(vtac.parse(text), *arrays)
    pairs = zip(*(it if isinstance(it, tuple) else (it,) for it in (found, expected)), strict=True)
    return program, all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in pairs)  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_forms_are_for_the_vta(text: str) -> None:
    program, exact = run(text)
    assert exact and not any(choice.startswith("host:") for choice in said(program))
    assert len(program.devices) == 1


@pytest.mark.parametrize(("text", "on_host"), GATHERS.values(), ids=GATHERS)
def test_gathers_are_the_hosts_or_constants(text: str, on_host: int) -> None:
    program, exact = run(text)
    assert exact and len(program.summary["host_operations"]) == on_host


def test_a_loop_that_never_ends_is_refused() -> None:
    text = FORMS["a loop"].replace("%c1 = arith.constant 1", "%c1 = arith.constant 0")
    with pytest.raises(vtac.VtacError, match=r"'scf.for' can run neither on the VTA nor on the host"):
        vtac.compile(text)
