"""Reading programs: from files and text, with locations on every operation."""

from __future__ import annotations

from pathlib import Path

import pytest
from xdsl.dialects.builtin import FileLineColLoc

from vtac.analysis.ir.locations import location_of
from vtac.compiler import compile
from vtac.errors import CompileError, VtacError
from vtac.text.context import make_context
from vtac.text.reports import SourceError
from vtac.text.source import parse, parse_module

TEXT = """func.func @double(%a: i32) -> i32 {
  %sum, %unused = "test.op"(%a) ({
    "test.termop"() : () -> ()
  }) : (i32) -> (i32, i32)
  func.return %sum : i32
}
"""


def test_every_operation_is_located_at_its_name() -> None:
    module = parse(TEXT)
    assert [(op.name, location_of(op)) for op in module.walk()] == [
        ("builtin.module", ""),
        ("func.func", "<string>:1:1"),
        ("test.op", "<string>:2:19"),
        ("test.termop", "<string>:3:5"),
        ("func.return", "<string>:5:3"),
    ]


def test_operations_without_a_location_have_their_parents() -> None:
    module = parse("func.func @f(%i: index) {\n  scf.for %j = %i to %i step %i {\n  }\n  func.return\n}\n")
    yields = [op for op in module.walk() if op.name == "scf.yield"]
    assert [location_of(op) for op in yields] == ["<string>:2:3"]


def test_a_stated_location_stays() -> None:
    module = parse('func.func @f() {\n  func.return loc("other.py":7:9)\n}\n')
    assert [location_of(op) for op in module.walk()][-1] == "other.py:7:9"


def test_paths_and_strings_without_a_newline_name_files(tmp_path: Path) -> None:
    path = tmp_path / "program.mlir"
    path.write_text(TEXT)
    for source in (path, str(path)):
        first = parse(source).body.block.first_op
        assert first is not None
        assert isinstance(first.location, FileLineColLoc)
        assert location_of(first) == f"{path}:1:1"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("no/such/file.mlir", "cannot read 'no/such/file.mlir': No such file or directory"),
        ("nul\0byte", "cannot read 'nul\0byte': embedded null byte"),
        (Path(), "cannot read '.': it is a folder, not a file"),
        ("\n", "<string>:1:1: the input is empty"),
        ("\n  @x\n", "<string>:2:3: '@x' begins no operation; one looks like"),
        (TEXT.replace("termop", "inner"), "<string>:3:5: dialect 'test' has no operation 'test.inner'"),
        ("func.func @f() {\n  cf.br ^nowhere\n}\n", "<string>:4:1: region ends with missing block"),
    ],
)
def test_refusals_say_where(source: str | Path, message: str) -> None:
    with pytest.raises(VtacError) as caught:
        parse(source)
    assert str(caught.value).startswith(message)


def test_all_verification_errors_are_in_one_exception() -> None:
    text = 'func.func @f(%a: i32) {\n  "arith.addi"(%a) : (i32) -> i32\n  "arith.muli"(%a) : (i32) -> i32\n}\n'
    with pytest.raises(CompileError) as caught:
        parse(text)
    error = caught.value
    assert isinstance(error, SourceError)
    assert error.location == "<string>:1:1"
    assert [report.location for report in error.reports] == ["<string>:1:1", "<string>:2:3", "<string>:3:3"]
    assert str(error).splitlines()[1].startswith("<string>:2:3: 'arith.addi' does not verify: Expected 2 operands")


def test_an_attribute_that_does_not_verify_is_located() -> None:
    with pytest.raises(SourceError, match=r"^<string>:2:8: Integer value 300 is out of range"):
        parse("func.func @f() {\n  %0 = arith.constant 300 : i8\n  func.return\n}\n")


RESOURCE = """"test.op"() {{value = dense_resource<key> : tensor<2xi8>}} : () -> ()
{{-# dialect_resources: {{ builtin: {{ key: "{blob}" }} }} #-}}
"""


def test_resources_move_into_the_module() -> None:
    context = make_context()
    modules = [parse_module(RESOURCE.format(blob=blob), "x", context) for blob in ("0x040000000102", "0x0400000003FF")]
    assert "dense<[1, 2]> : tensor<2xi8>" in str(modules[0])
    assert "dense<[3, -1]> : tensor<2xi8>" in str(modules[1])


def test_resources_must_fill_their_type() -> None:
    with pytest.raises(SourceError, match=r"^x:1:1: resource 'key' is not hexadecimal"):
        parse_module(RESOURCE.format(blob="0x04zz"), "x", make_context())
    with pytest.raises(SourceError, match=r"^x:1:1: resource 'key' holds 1 bytes, but its type tensor<2xi8> takes 2"):
        parse_module(RESOURCE.format(blob="0x0400000001"), "x", make_context())


def test_resources_without_bytes_stay() -> None:
    text = '"test.op"() {value = dense_resource<elsewhere> : tensor<2xi8>} : () -> ()\n'
    assert "dense_resource<elsewhere>" in str(parse(text))


def test_unclosed_string_is_refused_at_once() -> None:
    text = f"""func.func @f() attributes {{note = "{"a b " * 200}}} {{\n  func.return\n}}\n"""
    with pytest.raises(SourceError, match=r"x.mlir:1:35: .*closing string literal"):
        parse_module(text, "x.mlir", make_context())


@pytest.mark.parametrize("space", ["1", "1 : i32", "[1]", "unit", "@x"])
def test_a_memory_space_is_a_string(space: str) -> None:
    """Read and printed as other dialects have it, and refused where programs are compiled."""
    module = parse(f"func.func @f(%a: memref<4xi32, {space}>) {{\n  return\n}}\n")
    for target in ("vta", "cuda"):
        with pytest.raises(
            CompileError, match=r"<string>:1:1: 'a' lives in memory space .*: a scope is named by a string"
        ):
            compile(module, target)
