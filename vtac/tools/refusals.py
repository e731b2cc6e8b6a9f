"""The kinds of refusals, each with something that is refused for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from vtac.errors import VtacError

TEXT = """func.func @mm(%a: tensor<3x64xi8>, %b: tensor<64x32xi8>) -> tensor<3x32xi32> {
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<3x32xi32>
  %i = linalg.fill ins(%z : i32) outs(%e : tensor<3x32xi32>) -> tensor<3x32xi32>
  %c = linalg.matmul ins(%a, %b : tensor<3x64xi8>, tensor<64x32xi8>) outs(%i : tensor<3x32xi32>) -> tensor<3x32xi32>
  func.return %c : tensor<3x32xi32>
}
"""
"""The program of the examples."""


@dataclass(frozen=True)
class Refusal:
    """One kind: what is refused for it, what to do, and an example.

    The example is Python, a line each, in which `TEXT` is a program, or a command line that begins with `vtac`. `said`
    is what is said of one that needs a machine where something is missing.
    """

    meaning: str
    remedy: str
    example: tuple[str, ...]
    said: str = ""

    @property
    def needs_program(self) -> bool:
        return any("TEXT" in line for line in self.example)


def message(refusal: Refusal) -> VtacError | None:
    """The error that the example gets; None where it gets none here."""
    if refusal.said:
        return None
    try:
        _run(refusal.example)
    except VtacError as error:
        return error
    return None


def _run(example: tuple[str, ...]) -> None:
    if example[0].startswith("vtac "):
        from vtac.tools.vtac import dispatch

        dispatch(example[0].split()[1:])
        return
    import numpy as np

    import vtac

    exec("\n".join(example), {"vtac": vtac, "np": np, "TEXT": TEXT, "Path": Path})


REFUSALS: Mapping[str, Refusal] = MappingProxyType(
    {
        "usage": Refusal(
            "a command line that the tool does not understand",
            "see `vtac COMMAND --help`",
            ("vtac run net.mlir --sed 1",),
        ),
        "source": Refusal(
            "text that is no MLIR, or IR that does not verify",
            "mend the line under the caret",
            ('vtac.parse(TEXT.replace("outs(%i", "outs(%j"))',),
        ),
        "compile": Refusal(
            "a program that a pass, or the target, cannot take",
            "rewrite what the place shows as the message says",
            ('vtac.compile(TEXT.replace("3x", "?x"))',),
        ),
        "schedule": Refusal(
            "a directive that is illegal where it stands",
            "look at the loop nest below the message, or at `schedule.show()`",
            ("schedule = vtac.Schedule(TEXT)", 'schedule.get_block("gemm")'),
        ),
        "tiling": Refusal(
            "tiles that the hardware cannot hold, or execute in that order",
            "choose smaller blocks; searches pass over such tilings",
            (
                'kind = "tensor<1x4000x1x16xi32>"',
                'text = f"func.func @add(%a: {kind}, %b: {kind}) -> {kind} {{\\n  %e = tensor.empty() : {kind}\\n"',
                'text += f"  %c = linalg.add ins(%a, %b : {kind}, {kind}) outs(%e : {kind}) -> {kind}\\n"',
                'schedule = vtac.Schedule(text + f"  func.return %c : {kind}\\n}}\\n")',
                'block = schedule.get_block("c")',
                "copies = [schedule.cache_read(block, operand, 'vta.acc') for operand in (0, 1)]",
                "for copy in [*copies, schedule.cache_write(block, 0, 'vta.acc')]:",
                "    schedule.dma_copy(schedule.get_loops(copy)[0])",
                "schedule.alu(schedule.get_loops(block)[0])",
                'vtac.compile(text + f"  func.return %c : {kind}\\n}}\\n", schedule=schedule)',
            ),
        ),
        "evaluation": Refusal(
            "IR whose execution in numpy has no defined result, or takes too much",
            "mend the operation that the place shows",
            (
                'text = "func.func @f(%a: tensor<2xi32>, %b: tensor<2xi32>) -> tensor<2xi32> {\\n'
                '  %c = arith.divsi %a, %b : tensor<2xi32>\\n  func.return %c : tensor<2xi32>\\n}\\n"',
                "vtac.compile(text)(np.ones(2, np.int32), np.zeros(2, np.int32))",
            ),
        ),
        "config": Refusal(
            "a hardware record that contradicts itself, or that instructions cannot encode",
            "see `vtac config FILE`, which says what follows from each field",
            ("vtac.VTAConfig(log_inp_buff_size=17, log_acc_buff_size=20)",),
        ),
        "program": Refusal(
            "a program called, saved or loaded in a way that it does not allow",
            "pass arrays of the shapes and dtypes that `print(program)` says",
            ("program = vtac.compile(TEXT)", "program(np.zeros((3, 63), np.int8), np.zeros((64, 32), np.int8))"),
        ),
        "device": Refusal(
            "a device that cannot be reached, or does not do what was asked; `error.reason` says why in a word",
            "see docs/devices.md for how devices are named, and what they refuse",
            ("vtac.devices.open('sin')",),
        ),
        "model": Refusal(
            "a trained model that contradicts itself, cannot be read, or is called wrongly",
            "see docs/models.md for what is read",
            (
                "from vtac.models.graph import Graph",
                "Graph('net', {}, (), ())",
            ),
        ),
        "launch": Refusal(
            "a launch of a CUDA kernel that is not allowed, or arrays that do not fit it",
            "pass arrays as the launch record lists them",
            (
                'halves = vtac.compile(TEXT.replace("i8", "f16").replace("0 : i32", "0.0 : f32").replace("i32", "f32")'
                '.replace("3x", "16x"), target="cuda")',
                "halves(np.zeros((3, 3)))",
            ),
        ),
        "assembly": Refusal(
            "assembly text that cannot be read",
            "write it as `vtac disasm` prints it",
            ("from vtac.targets.vta.isa import assemble", "assemble('lod.inp nop\\n', vtac.VTAConfig())"),
        ),
        "encoding": Refusal(
            "a field of an instruction that its bits cannot hold",
            "use smaller numbers, or several instructions",
            (
                "from vtac.targets.vta.isa import Memory, Load, encode",
                "encode([Load(Memory.INP, 0, 0, y_size=1, x_size=70000, x_stride=1)], vtac.VTAConfig())",
            ),
        ),
        "micro-op": Refusal(
            "a word that is no micro-op of the configuration",
            "give the configuration that it was compiled for",
            (
                "from vtac.targets.vta.isa import disassemble_micro_ops",
                "config = vtac.VTAConfig(log_acc_buff_size=15)",
                "disassemble_micro_ops(b'\\xff\\xff\\xff\\xff', config)",
            ),
        ),
        "type": Refusal(
            "something that is no stream, or no configuration",
            "pass bytes and a VTAConfig",
            ("vtac.execute('finish', np.zeros(4096, np.uint8), vtac.VTAConfig())",),
        ),
        "image": Refusal(
            "a memory image that is no writable array of bytes",
            "pass a one-dimensional array of uint8",
            ("vtac.execute(bytes(16), np.zeros(4096, np.int8), vtac.VTAConfig())",),
        ),
        "hang": Refusal(
            "a LOAD that the hardware never ends, met by the cycle model",
            "load at least one row: see `vtac explain zero-rows`",
            (
                "from vtac.targets.vta.isa import assemble",
                "words = assemble('load.acc sram 0 <- dram 0, 0 x 4 stride 4\\nfinish\\n', vtac.VTAConfig())",
                "vtac.simulate_cycles(words, vtac.VTAConfig())",
            ),
        ),
        "range": Refusal(
            "instructions or layers that a program does not have",
            "choose from those that the message lists",
            (
                "from vtac.tools.listing import Extract, listing",
                "listing(vtac.compile(TEXT).stream, Extract(layer='conv9'))",
            ),
        ),
        "arrays": Refusal(
            "an archive that cannot be read, or does not hold what a program takes",
            "write it with numpy.savez, keys as the arguments are called",
            (
                "from vtac.tools.commands.arrays import read_arrays",
                "read_arrays('missing.npz', vtac.compile(TEXT).arguments)",
            ),
        ),
        "file": Refusal(
            "a stream or saved program that cannot be read",
            "give what `vtac compile` wrote",
            ("vtac disasm missing",),
        ),
        "output": Refusal(
            "a file that cannot be written",
            "name one in a directory that is there and may be written",
            ("from vtac.tools.output import write_file", "write_file(b'', '/no/such/folder/file')"),
        ),
        "store": Refusal(
            "a file of outcomes that is none, that another version wrote, that stays locked, or that finds no room",
            "name another file, or delete it: tuning and exploring then begin anew",
            ("from vtac.store.store import Store", "Store('/no/such/folder/outcomes.db')"),
        ),
        "workers": Refusal(
            "workers that cannot be reached, that do not start, or that are all lost",
            "name an executor that is there: local, local:N or dask:ADDRESS",
            ("from vtac.workers.places import executor_at", "executor_at('many')"),
        ),
        "where": Refusal(
            "a condition on configurations that cannot be read, or that names what none has",
            "write it of the dimensions that `vtac explore --help` lists",
            ("from vtac.targets.vta.exploring.where import parse_where", "parse_where('size == 3', ['BLOCK'])"),
        ),
        "limit": Refusal(
            "a setting of the environment that is no limit",
            "set a positive number, or unset it",
            ("VTAC_MAX_MEMORY=much vtac run net.mlir",),
            "VTAC_MAX_MEMORY='much': a positive number of bytes is required, such as 1000000",
        ),
        "tool": Refusal(
            "a compiler, package or device that is not here",
            "install what the message names",
            ("program.report('net.html')",),
            "writing an HTML report needs the package 'jinja2': pip install 'vtac[report]'",
        ),
        "difference": Refusal(
            "results that are not those of the input program, as `vtac run --check` finds them",
            "a fault of the compiler: keep the program, and report it",
            ("vtac run net.mlir --check",),
            "the results differ from those of the input program",
        ),
        "error": Refusal(
            "anything else that is the input's fault",
            "do as the message says",
            ("vtac.report(3)",),
        ),
    }
)
"""Each kind by its name."""
