"""What asks for more than memory, time or addresses is refused before work starts, and says which limit it met."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from xdsl.passes import ModulePass

import vtac
from vtac.errors import CompileError, EvaluationError, ScheduleError
from vtac.evaluate import evaluate
from vtac.limits import ITERATIONS, LIMITS, LimitError
from vtac.passes.schedule.schedule_unroll_loops import ScheduleUnrollLoops
from vtac.passes.vta.schedule_inject_virtual_threads import ScheduleInjectVirtualThreads
from vtac.text.context import make_context
from vtac.text.reports import SourceError

_ADDRESS_SPACE = 3 << 29


def _addition(shape: str) -> str:
    kind = f"tensor<{shape}xi32>"
    return (
        f"func.func @f(%a: {kind}, %b: {kind}) -> {kind} {{\n"
        f"  %e = tensor.empty() : {kind}\n"
        f"  %s = linalg.add ins(%a, %b : {kind}, {kind}) outs(%e : {kind}) -> {kind}\n"
        f"  return %s : {kind}\n}}\n"
    )


def _payload(loops: str, end: str) -> str:
    return (
        "func.func @f(%a: memref<4xi32>, %b: memref<4xi32>) {\n"
        f"  {loops}\n"
        '    schedule.block "c" <spatial 4> = (d0) -> (d0)(%i)\n'
        "      reads %a<(d0) -> (d0)> : memref<4xi32>\n"
        "      writes %b<(d0) -> (d0)> : memref<4xi32> {\n"
        "    ^bb0(%x: i32):\n      schedule.yield %x : i32\n    }\n"
        f"  {end}\n  func.return\n}}\n"
    )


def test_what_the_vta_cannot_address() -> None:
    with pytest.raises(CompileError) as caught:
        vtac.compile(_addition("1099511627776"))
    assert str(caught.value) == (
        "<string>:1:1: 'a' of shape 1099511627776 takes 4,398,046,511,104 bytes; DRAM addresses of the VTA have 32 "
        "bits and reach 4,294,967,296 bytes"
    )


def test_arguments_and_results_lie_in_memory_together() -> None:
    with pytest.raises(CompileError) as caught:
        vtac.compile(_addition("536870912"))
    assert str(caught.value) == (
        "<string>:1:1: the arguments and results of 'f' take 6,442,450,944 bytes; DRAM addresses of the VTA have 32 "
        "bits and reach 4,294,967,296 bytes"
    )


def test_what_a_kernel_cannot_index() -> None:
    with pytest.raises(CompileError) as caught:
        vtac.compile(_addition("65536x65536"), target="cuda")
    assert str(caught.value) == (
        "<string>:1:1: 'a' of shape 65536x65536 has 4,294,967,296 elements; a kernel counts elements in integers of 32 "
        "bits: at most 2,147,483,647"
    )


def test_a_constant_is_not_unfolded() -> None:
    text = "func.func @f() {\n  %c = arith.constant dense<0> : tensor<1099511627776xi8>\n  return\n}\n"
    with pytest.raises(SourceError) as caught:
        vtac.parse(text)
    assert str(caught.value) == (
        "<string>:2:34: reading a constant of type tensor<1099511627776xi8> takes 35,184,372,088,832 bytes; the limit "
        "is 4,294,967,296 (set VTAC_MAX_MEMORY to allow more)"
    )


def test_memory_of_evaluation() -> None:
    module = vtac.parse(_addition("1048576x16384"))
    with pytest.raises(EvaluationError) as caught:
        evaluate(module)
    assert str(caught.value) == (
        "<string>:1:1: cannot execute 'f': its arrays take 274,877,906,944 bytes; the limit is 4,294,967,296 (set "
        "VTAC_MAX_MEMORY to allow more)"
    )


def test_iterations_of_a_reduction() -> None:
    """Every point of a reduction is a step of its own, of as much as many that run side by side."""
    text = (
        "func.func @f(%a: tensor<4194304xi32>, %b: tensor<i32>) -> tensor<i32> {\n"
        "  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>],\n"
        '    iterator_types = ["reduction"]} ins(%a : tensor<4194304xi32>) outs(%b : tensor<i32>) {\n'
        "  ^bb0(%x: i32, %y: i32):\n    %s = arith.addi %x, %y : i32\n    linalg.yield %s : i32\n"
        "  } -> tensor<i32>\n  return %r : tensor<i32>\n}\n"
    )
    with pytest.raises(EvaluationError) as caught:
        evaluate(vtac.parse(text))
    assert str(caught.value) == (
        "<string>:2:8: cannot execute 'f': 'linalg.generic' takes 4,294,967,296 iterations; the limit is 2,147,483,647 "
        "(set VTAC_MAX_ITERATIONS to allow more)"
    )


@pytest.mark.parametrize("alone", [False, True])
def test_iterations_of_a_payload(alone: bool) -> None:
    beside = " memref.dealloc %b : memref<4xi32>" if alone else ""
    loops = f"schedule.for %n = 0 to 2147483648 {{{beside} schedule.for %i = 0 to 4 {{"
    with pytest.raises(EvaluationError) as caught:
        evaluate(vtac.parse(_payload(loops, "}}")), np.zeros(4, np.int32), np.zeros(4, np.int32))
    taken = "2,199,023,255,552" if alone else "8,589,934,592"
    what = "'memref.dealloc'" if alone else "block 'c'"
    assert f"{what} takes {taken} iterations; the limit is 2,147,483,647" in str(caught.value)


def test_a_setting_allows_more_and_less(monkeypatch: pytest.MonkeyPatch) -> None:
    module = vtac.parse(_addition("4x4"))
    ones = np.ones((4, 4), np.int32)
    monkeypatch.setenv("VTAC_MAX_ITERATIONS", "1023")
    with pytest.raises(EvaluationError, match="takes 1,024 iterations; the limit is 1,023"):
        evaluate(module, ones, ones)
    monkeypatch.setenv("VTAC_MAX_ITERATIONS", "1024")
    assert (np.asarray(evaluate(module, ones, ones)) == 2).all()


@pytest.mark.parametrize("text", ["0", "-1", "1e9", "4G", "9" * 31, "٣"])
def test_a_setting_is_a_positive_number(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(ITERATIONS.variable, text)
    with pytest.raises(LimitError) as caught:
        ITERATIONS.refusal(1)
    assert str(caught.value) == (
        f"VTAC_MAX_ITERATIONS={text!r}: a positive number of iterations is required, such as 1000000"
    )


def test_every_setting_is_documented() -> None:
    text = (Path(__file__).parents[1] / "docs" / "limits.md").read_text(encoding="utf-8")
    for limit in LIMITS:
        assert f"| `{limit.variable}` | {limit.default:,} {limit.unit} |" in text


def test_a_guard_pads_no_further_than_a_nest_may_run() -> None:
    schedule = vtac.Schedule(_addition("3"))
    (loop,) = schedule.get_loops(schedule.get_block("s"))
    with pytest.raises(ScheduleError) as caught:
        schedule.split(loop, factor=1 << 40, tail="guard")
    assert str(caught.value) == (
        "split: factor 1099511627776 for loop 'i0' (extent 3) makes 1,099,511,627,776 iterations; the limit is "
        "2,147,483,647 (set VTAC_MAX_ITERATIONS to allow more); 3 covers the loop"
    )


@pytest.mark.parametrize(
    ("kind", "writing"), [("unrolled", ScheduleUnrollLoops()), ("cthread", ScheduleInjectVirtualThreads())]
)
def test_code_is_not_written_out_without_end(kind: str, writing: ModulePass) -> None:
    loops = f'schedule.for %n = 0 to 1048576 kind "{kind}" {{ schedule.for %i = 0 to 4 {{'
    module = vtac.parse(_payload(loops, "}}"))
    with pytest.raises(CompileError) as caught:
        writing.apply(make_context(), module)
    assert str(caught.value) == (
        "<string>:2:3: writing out 1,048,576 iterations of loop 'n' makes 4,194,304 operations; the limit is 131,072 "
        "(set VTAC_MAX_OPERATIONS to allow more): split the loop first, and write out the inner one"
    )


@pytest.mark.parametrize("number", [1_000_000, 400_000])
def test_a_gpu_compiler_does_not_either(number: int) -> None:
    """A loop of that many iterations; or two, one in the other, whose product is."""
    schedule = vtac.Schedule(_addition(f"{number}x16"))
    rows, columns = schedule.get_loops(schedule.get_block("s"))
    schedule.bind(columns, "threadIdx.x")
    for loop in schedule.split(rows, factor=1000) if number == 400_000 else (rows,):
        schedule.unroll(loop)
    with pytest.raises(CompileError, match=rf"writing out {number:,} iterations of loop 'i0(_inner)?' makes") as caught:
        vtac.compile(_addition(f"{number}x16"), "cuda", schedule=schedule)
    remedy = "(set VTAC_MAX_OPERATIONS to allow more): split the loop first, and write out the inner one"
    assert str(caught.value).endswith(f"the limit is 131,072 {remedy}")


def test_as_many_stages_as_it_writes_out() -> None:
    text = _addition("1000000x1").replace("i32", "i8")
    schedule = vtac.Schedule(text)
    block = schedule.get_block("s")
    staged = schedule.cache_read(block, 0, "shared")
    rows, columns = schedule.get_loops(block)
    schedule.compute_at(staged, rows)
    schedule.pipeline(rows, 100_000)
    schedule.bind(columns, "threadIdx.x")
    with pytest.raises(CompileError, match=r"writing out 99,999 iterations of loop 'stage' makes .* is 131,072 "):
        vtac.compile(text, "cuda", schedule=schedule)


def test_a_stream_that_never_ends_is_not_begun() -> None:
    text = _stream("1099511627776")
    with pytest.raises(CompileError) as caught:
        evaluate(vtac.parse(text), np.zeros((16, 1, 16), np.int32))
    assert str(caught.value) == (
        "<string>:6:5: function 'f' runs 'vta.load_2d' in 1,099,511,627,776 iterations; the limit is 2,147,483,647 "
        "(set VTAC_MAX_ITERATIONS to allow more)"
    )


def test_a_stream_longer_than_memory_is_not_begun() -> None:
    with pytest.raises(CompileError) as caught:
        evaluate(vtac.parse(_stream("100000000")), np.zeros((16, 1, 16), np.int32))
    assert "the stream of 'f' has 100,000,001 instructions or more, about 1,024 bytes each" in str(caught.value)
    assert "102,400,001,024 bytes; the limit is 4,294,967,296" in str(caught.value)


def _stream(trips: str) -> str:
    return (
        "func.func @f(%a: memref<16x1x16xi32>) {\n"
        f"  %n = arith.constant {trips} : index\n"
        "  %zero = arith.constant 0 : index\n"
        "  %one = arith.constant 1 : index\n"
        "  scf.for %i = %zero to %n step %one {\n"
        "    vta.load_2d acc %a [dram = 0, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, "
        "x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<16x1x16xi32>\n"
        "  }\n  vta.sync\n  return\n}\n"
    )


def test_refusing_takes_little_memory(tmp_path: Path) -> None:
    """In an address space that holds not even one of the arrays."""
    source = tmp_path / "large.mlir"
    source.write_text(_addition("1x16384x16384x1"))
    code = "import sys; from vtac.tools.vtac import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "run", str(source)],
        capture_output=True,
        text=True,
        env={"OPENBLAS_NUM_THREADS": "1", "VTAC_MAX_MEMORY": "1000000", "PYTHONPATH": ":".join(sys.path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE)),
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    message, *quoted = done.stderr.splitlines()
    assert message == (
        f"{source}:1:1: error: 'a' of shape 1x16384x16384x1 takes 1,073,741,824 bytes; the limit is 1,000,000 (set "
        "VTAC_MAX_MEMORY to allow more)"
    )
    assert [line[:8] for line in quoted] == ["    1 | ", "      | "]
