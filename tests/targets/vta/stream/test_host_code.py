"""What the host does on the way to a stream: nests of transfers at once, arithmetic, and what it cannot do."""

from __future__ import annotations

import pytest

import vtac
from vtac.errors import CompileError, EncodingError
from vtac.targets.vta.isa import Store, decode
from vtac.targets.vta.stream import host_code
from vtac.targets.vta.stream.build import build_program

_PROGRAM = """
func.func @f(%y: memref<1x256x1x16xi8>) {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c40 = arith.constant 40 : index
  {body}
  vta.sync
  func.return
}}
"""
_STORE = "vta.store_2d out %y [sram = {}, dram = {}, x_size = 1, y_size = 1, x_stride = 1] : memref<1x256x1x16xi8>"

_NEST = f"""
  scf.for %k = %c0 to %c2 step %c1 {{
    scf.for %i = %c1 to %c40 step %c3 {{
      %low = arith.minsi %i, %c40 : index
      %high = arith.maxsi %low, %c3 : index
      scf.for %j = %c0 to %c3 step %c1 {{
        %bits = arith.andi %high, %c3 : index
        %more = arith.ori %bits, %c40 : index
        %at = affine.apply affine_map<(d0, d1)[s0] -> (d0 * 4 + d1 floordiv 2 + s0 mod 3)> (%more, %j)[%k]
        {_STORE.format("%at", "%i")}
      }}
    }}
  }}
"""
_PLACES = [((max(i, 3) & 3 | 40) * 4 + j // 2 + k % 3, i) for k in range(2) for i in range(1, 40, 3) for j in range(3)]

_NESTS: dict[str, tuple[str, list[tuple[int, int]]]] = {
    "a nest of one store": (_NEST, _PLACES),
    "two stores": (
        f"scf.for %i = %c0 to %c40 step %c1 {{\n {_STORE.format('%i', 0)}\n {_STORE.format(1, '%i')}\n }}",
        [place for i in range(40) for place in ((i, 0), (1, i))],
    ),
    "inner bounds of the outer loop": (
        "scf.for %i = %c0 to %c40 step %c1 {\n scf.for %j = %c0 to %i step %c2 {\n"
        f"{_STORE.format('%i', '%j')}\n }}\n }}",
        [(i, j) for i in range(40) for j in range(0, i, 2)],
    ),
    "a choice": (
        "scf.for %i = %c0 to %c40 step %c1 {\n %small = arith.cmpi slt, %i, %c3 : index\n scf.if %small {\n"
        f"{_STORE.format('%i', 7)}\n }}\n }}",
        [(i, 7) for i in range(3)],
    ),
    "no iteration": (f"scf.for %i = %c2 to %c0 step %c1 {{\n {_STORE.format('%i', 0)}\n }}", []),
}


@pytest.mark.parametrize("as_arrays", [1, 64, 1 << 30])
@pytest.mark.parametrize(("body", "places"), _NESTS.values(), ids=list(_NESTS))
def test_a_nest_gives_the_instructions_of_its_iterations(
    monkeypatch: pytest.MonkeyPatch, as_arrays: int, body: str, places: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(host_code, "_AS_ARRAYS", as_arrays)
    program = build_program(vtac.parse(_PROGRAM.format(body=body)))
    stores = [one for one in decode(program.instructions, program.config) if isinstance(one, Store) and one.x_size]
    first = program.buffers[0].address // program.config.out_element_bytes
    assert [(store.sram_base, store.dram_base - first) for store in stores] == places
    assert [origin.op for origin in program.origins].count("vta.store_2d") == len(places)


def test_an_index_that_divides_by_zero_is_refused() -> None:
    body = "%t = affine.apply affine_map<(d0) -> (d0 floordiv 0)> (%c3)"
    with pytest.raises(CompileError) as caught:
        build_program(vtac.parse(_PROGRAM.format(body=body)))
    assert str(caught.value).endswith("the index (d0 floordiv 0) divides by 0; a positive divisor is required")


def test_what_neither_host_nor_vta_does_is_refused() -> None:
    body = "%t = arith.divui %c40, %c3 : index"
    with pytest.raises(CompileError) as caught:
        build_program(vtac.parse(_PROGRAM.format(body=body)))
    assert "'arith.divui' cannot run on the VTA or its host; only vta, scf, arith and affine ops can" in str(
        caught.value
    )


_CARRIED = """
%last = scf.for %i = %c0 to %c3 step %c1 iter_args(%one = %c3) -> (index) {
  %next = arith.addi %one, %c1 : index
  scf.yield %next : index
}
"""
_CHOSEN = """
%small = arith.cmpi slt, %c1, %c3 : index
%last = scf.if %small -> (index) {
  scf.yield %c1 : index
} else {
  scf.yield %c2 : index
}
"""


@pytest.mark.parametrize(("body", "name"), [(_CARRIED, "scf.for"), (_CHOSEN, "scf.if")])
def test_values_that_the_host_does_not_carry_are_refused(body: str, name: str) -> None:
    with pytest.raises(CompileError) as caught:
        build_program(vtac.parse(_PROGRAM.format(body=body + _STORE.format("%last", 0))))
    assert f"the host of the VTA has no value of this '{name}': it computes what operations of arith" in str(
        caught.value
    )


_LARGE = f"""
%most = arith.constant 9223372036854775807 : index
%many = arith.constant 70 : index
scf.for %i = %c0 to %many step %c1 {{
  %a = arith.addi %most, %i : index
  %b = arith.addi %a, %most : index
  %c = arith.addi %b, %c2 : index
  %d = affine.apply affine_map<(d0) -> (d0 mod 4)> (%c)
  {_STORE.format("%d", "%i")}
}}
"""


@pytest.mark.parametrize("factor", ["mod 4", "* 4"])
def test_an_index_of_more_than_64_bits_is_refused_where_it_comes_about(factor: str) -> None:
    text = _PROGRAM.format(body=_LARGE.replace("d0 mod 4", f"d0 {factor}"))
    with pytest.raises(CompileError) as caught:
        build_program(vtac.parse(text))
    assert str(caught.value) == (
        "<string>:13:8: 'arith.addi' gives an index of 18,446,744,073,709,551,614; 64 bits hold "
        "-9,223,372,036,854,775,808 to 9,223,372,036,854,775,807"
    )


def test_an_amount_of_more_than_32_bits_is_refused_in_a_nest() -> None:
    store = _STORE.format("%i", 2**63 - 1)
    body = f"%many = arith.constant 70 : index\nscf.for %i = %c0 to %many step %c1 {{\n{store}\n}}"
    with pytest.raises(EncodingError, match="field dram_base is 92233720368547760"):
        build_program(vtac.parse(_PROGRAM.format(body=body)))


def test_micro_ops_of_more_than_64_bits_are_not_written_cut() -> None:
    body = "vta.gemm loops [] micro [5] (d0) -> ((d0 - d0 mod 4) * 4611686018427387904, d0, 0)"
    with pytest.raises(CompileError) as caught:
        build_program(vtac.parse(_PROGRAM.format(body=body)))
    assert str(caught.value).endswith("'vta.gemm' names a tile by a number of more than 64 bits")


def test_a_nest_computes_with_flags_as_one_iteration_does() -> None:
    body = f"""
    %many = arith.constant 70 : index
    scf.for %i = %c0 to %many step %c1 {{
      %t = arith.cmpi slt, %i, %c3 : index
      %u = arith.subi %t, %t : i1
      {_STORE.format(0, "%i")}
    }}
    """
    assert len(build_program(vtac.parse(_PROGRAM.format(body=body))).origins) >= 70


def test_a_nest_that_never_runs_may_be_as_long_as_it_likes() -> None:
    body = f"""
    %many = arith.constant 4611686018427387904 : index
    scf.for %i = %c2 to %c0 step %c1 {{
      scf.for %j = %c0 to %many step %c1 {{
        {_STORE.format(0, "%j")}
      }}
    }}
    """
    program = build_program(vtac.parse(_PROGRAM.format(body=body)))
    assert [origin.op for origin in program.origins].count("vta.store_2d") == 0
