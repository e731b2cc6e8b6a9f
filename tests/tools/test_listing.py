"""Listings of programs of several layers: which buffer, layer and source line each instruction is about."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_programs import run_program

import vtac
from vtac.targets.vta.isa import assemble
from vtac.targets.vta.programs.program import Program
from vtac.tools.alignment import changes
from vtac.tools.listing import Extract, RangeError, listing

NET = """func.func @net(%x: tensor<1x16xi8>, %w: tensor<16x16xi8>, %v: tensor<16x16xi8>) -> tensor<1x16xi32> {
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x16xi32>
  %s = linalg.fill ins(%z : i32) outs(%e : tensor<1x16xi32>) -> tensor<1x16xi32>
  %first = linalg.matmul ins(%x, %w : tensor<1x16xi8>, tensor<16x16xi8>) outs(%s : tensor<1x16xi32>) -> tensor<1x16xi32>
  %n = tensor.empty() : tensor<1x16xi8>
  %narrow = linalg.generic {
    indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
    iterator_types = ["parallel", "parallel"]
  } ins(%first : tensor<1x16xi32>) outs(%n : tensor<1x16xi8>) {
  ^bb0(%a: i32, %b: i8):
    %c = arith.constant 5 : i32
    %d = arith.shrsi %a, %c : i32
    %t = arith.trunci %d : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x16xi8>
  %second = linalg.matmul ins(%narrow, %v : tensor<1x16xi8>, tensor<16x16xi8>)
                          outs(%s : tensor<1x16xi32>) -> tensor<1x16xi32>
  func.return %second : tensor<1x16xi32>
}
"""


@pytest.fixture(scope="module")
def program() -> Program:
    return vtac.compile(NET).stream


def test_loads_and_stores_name_their_buffers(program: Program) -> None:
    lines = listing(program).splitlines()
    assert any("load.inp" in line and "# x_packed+0  narrow: vta.load_2d <string>:5:12" in line for line in lines)
    headings = [line for line in lines if line.startswith("# ")]
    assert headings == ["# narrow", "# second"]
    assert any("alu.shr" in line and line.endswith(":7:13") for line in lines)


def test_layers_that_share_a_kernel_have_their_own_places() -> None:
    again = NET.replace("%v: tensor<16x16xi8>)", "%v: tensor<16x16xi8>, %y: tensor<1x16xi8>)").replace(
        "-> tensor<1x16xi32> {\n", "-> (tensor<1x16xi32>, tensor<1x16xi8>) {\n", 1
    )
    first = again.index("  %first")
    body = again[first : again.index("  %second")]
    for name in ("first", "narrow", "n"):
        body = re.sub(rf"%{name}\b", f"%{name}_b", body)
    text = again.replace("  %second", body.replace("%x", "%y") + "  %second").replace(
        "func.return %second : tensor<1x16xi32>", "func.return %second, %narrow_b : tensor<1x16xi32>, tensor<1x16xi8>"
    )
    shifts = [
        line.split("#")[1] for line in listing(vtac.compile(text).stream).splitlines() if "alu.shr    imm 5" in line
    ]
    assert shifts == [" narrow: vta.alu <string>:7:13", " narrow_b: vta.alu <string>:19:15"]


def test_a_listing_is_assembly(program: Program) -> None:
    assert assemble(listing(program), program.config) == program.instructions


def test_a_part_is_what_was_asked_for(program: Program) -> None:
    whole = [line for line in listing(program).splitlines() if not line.startswith("#")]
    part = [line for line in listing(program, Extract(3, 6)).splitlines() if not line.startswith("#")]
    assert [line.split(":")[0].strip() for line in part] == ["3", "4", "5"]
    layers = [
        [line for line in listing(program, Extract(layer=name)).splitlines() if not line.startswith("#")]
        for name in ("narrow", "second")
    ]
    assert sum(map(len, layers)) == len(whole)


@pytest.mark.parametrize(
    ("extract", "message"),
    [
        (Extract(5, 3), "instructions from 5 to 3: the stream has 0 to "),
        (Extract(0, 10_000), "instructions from 0 to 10000: the stream has 0 to "),
        (Extract(layer="secnd"), "no layer 'secnd' in .*; did you mean 'second'?"),
        (Extract(layer="?"), "no layer '\\?' in .*; the layers are narrow, second"),
    ],
)
def test_parts_that_are_none(program: Program, extract: Extract, message: str) -> None:
    with pytest.raises(RangeError, match=message.replace("'?", "'\\?")):
        listing(program, extract)


def test_the_command_takes_programs_as_text(tmp_path: Path) -> None:
    (tmp_path / "net.mlir").write_text(NET)
    outcome = run_program(
        ["vtac", "disasm", str(tmp_path / "net.mlir"), "--layer", "second", "--sources"], b"", merge=False
    )
    assert outcome.status == 0
    assert outcome.stdout.decode().startswith("# second\n")
    assert "net.mlir:17:13" in outcome.stdout.decode()


def test_a_finding_shows_its_instructions(program: Program, tmp_path: Path) -> None:
    """And says what its queue is for."""
    program.save(tmp_path / "net")
    insn = tmp_path / "net" / "insn.bin"
    broken = program.disassemble().replace("pop_next", "", 1)
    insn.write_bytes(assemble(broken, program.config))
    index = json.loads((tmp_path / "net" / "program.json").read_text())
    del index["digests"]
    (tmp_path / "net" / "program.json").write_text(json.dumps(index))
    outcome = run_program(["vtac", "check", str(tmp_path / "net")], b"", merge=False)
    assert outcome.status == 1
    text = outcome.stdout.decode()
    assert ": tokens from the " in text
    assert "vta." in text
    found = json.loads(run_program(["vtac", "check", str(tmp_path / "net"), "--json"], b"", merge=False).stdout)
    assert not found["clean"]
    assert {"kind", "first", "second", "buffer", "range", "message"} == set(found["findings"][0])


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_changes_make_one_list_of_the_other(ours: list[str], theirs: list[str]) -> None:
    made: list[str] = []
    at = 0
    for change in changes(ours, theirs):
        made += ours[at : change.first] + theirs[change.other_first : change.other_end]
        at = change.end
    assert made + ours[at:] == theirs


@pytest.mark.parametrize("more", [0, 7])
def test_long_streams_are_compared_by_place(more: int) -> None:
    ours = [str(number) for number in range(4000)]
    theirs = ["x", *ours[1:2000], "y", *ours[2001:-1], "z", *["w"] * more]
    found = changes(ours, theirs)
    assert [(change.first, change.end) for change in found] == [(0, 1), (2000, 2001), (3999, 4000)]
    assert found[-1].other_end == len(theirs)
