"""`vtac disasm`, `asm`, `check` and `diff` on a saved program and its streams."""

from __future__ import annotations

from pathlib import Path

from saved_sum import ASSEMBLY, program, saved
from vtac_runs import refusal, succeed, vtac

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import assemble, assemble_micro_ops

__all__ = ["saved"]


def test_disassembly_assembles_back(saved: str, tmp_path: Path) -> None:
    text = succeed("disasm", saved)
    assert text == ASSEMBLY
    output = tmp_path / "insn.bin"
    for listing in (text, succeed("disasm", saved, "--sources")):
        succeed("asm", "-", "-o", output, text=listing)
        assert output.read_bytes() == Path(saved, "insn.bin").read_bytes()
    assert succeed("disasm", output) == ASSEMBLY
    micro_ops = tmp_path / "uop.bin"
    succeed("asm", "-", "--micro-ops", "-o", micro_ops, text=succeed("disasm", saved, "--micro-ops"))
    assert micro_ops.read_bytes() == Path(saved, "uop.bin").read_bytes()


def test_disassembly_names_sources(saved: str) -> None:
    lines = succeed("disasm", saved, "--sources").splitlines()
    assert lines[0].endswith("# left+0  vta.load_2d sum.mlir:1:3")
    assert lines[7].endswith("# vta.alu sum.mlir:8:3")


def test_assembly_errors_name_the_line(tmp_path: Path) -> None:
    assert "'<stdin>': line 2: " in refusal("asm", "-", "-o", tmp_path / "x", text="finish\nfly away\n")
    assert not (tmp_path / "x").exists()


def test_truncated_streams_are_refused(saved: str, tmp_path: Path) -> None:
    path = tmp_path / "short.bin"
    path.write_bytes(Path(saved, "insn.bin").read_bytes()[:20])
    assert "the stream has 20 bytes, 4 more than 1 instructions" in refusal("disasm", path)


def test_check_proves_or_finds(saved: str, tmp_path: Path) -> None:
    assert succeed("check", saved) == "proven clean\n"
    assert succeed("check", Path(saved, "insn.bin"), "--dram", Path(saved, "dram.bin")) == "proven clean\n"
    broken = tmp_path / "broken.bin"
    broken.write_bytes(assemble(ASSEMBLY.replace("pop_prev push_prev", "push_prev"), VTAConfig()))
    outcome = vtac("check", broken, "--dram", Path(saved, "dram.bin"))
    assert outcome.status == 1
    assert "race" in outcome.stdout.decode()


def test_diff_shows_the_first_difference(saved: str, tmp_path: Path) -> None:
    assert succeed("diff", saved, saved) == "no difference\n"
    other = tmp_path / "other.bin"
    other.write_bytes(assemble(ASSEMBLY.replace("alu.add", "alu.max"), VTAConfig())[:-16])
    outcome = vtac("diff", Path(saved, "insn.bin"), other, "--context", "1")
    assert (outcome.status, outcome.stderr) == (1, b"")
    lines = outcome.stdout.decode().splitlines()
    assert lines[0] == "instructions differ from instruction 3 on (8 against 7):"
    assert [line[:13] for line in lines[1:4]] == ["  = 2: load.u", "  - 3: alu.ad", "  + 3: alu.ma"]
    assert [line[:13] for line in lines[4:]] == ["  = 6: load.u", "  - 7: finish", "  + 7: (the s"]


def test_diff_aligns_what_was_inserted(saved: str, tmp_path: Path) -> None:
    other = tmp_path / "other.bin"
    nop = assemble("load.uop nop\n", VTAConfig())
    data = Path(saved, "insn.bin").read_bytes()
    other.write_bytes(data[:32] + nop + data[32:])
    lines = vtac("diff", Path(saved, "insn.bin"), other, "--context", "0").stdout.decode().splitlines()
    assert lines == ["instructions differ from instruction 2 on (8 against 9):", "  + 2: load.uop   nop"]
    assert "--context -1 --most 10: at least 0 and 1 are required" in refusal("diff", saved, saved, "--context", "-1")


def test_a_long_difference_is_cut_and_says_so(saved: str, tmp_path: Path) -> None:
    longer = tmp_path / "longer.bin"
    longer.write_bytes(assemble("load.uop nop\n" * 25 + ASSEMBLY, VTAConfig()))
    lines = vtac("diff", Path(saved, "insn.bin"), longer).stdout.decode().splitlines()
    assert sum(line.startswith("  + ") for line in lines) == 21
    assert "  + and 5 more; vtac disasm shows all" in lines


def test_diff_of_a_program_and_a_file_compares_instructions(saved: str) -> None:
    assert succeed("diff", saved, Path(saved, "insn.bin")) == "no difference\n"


def test_diff_shows_where_one_stream_ends(saved: str, tmp_path: Path) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(Path(saved, "insn.bin").read_bytes()[:-16])
    lines = vtac("diff", Path(saved, "insn.bin"), other).stdout.decode().splitlines()
    assert lines[-2:] == ["  - 7: finish", "  + 7: (the stream ends)"]


def test_diff_shows_configurations_and_micro_ops(saved: str, tmp_path: Path) -> None:
    other = program()
    other.config = VTAConfig(target="board")
    other.micro_ops = assemble_micro_ops("uop dst 0, src 5, wgt 0\n", other.config)
    other.save(tmp_path / "other")
    text = vtac("diff", saved, tmp_path / "other").stdout.decode()
    assert "  TARGET: sim against board" in text
    assert "micro-ops differ from micro-op 0 on (1 against 1):" in text
    assert "  + 0: uop        dst 0, src 5, wgt 0" in text


def test_an_empty_assembly_is_no_stream(tmp_path: Path) -> None:
    empty = tmp_path / "empty.s"
    empty.write_text("\n")
    message = refusal("asm", str(empty), "-o", str(tmp_path / "insn.bin"))
    assert "empty.s' holds no instruction; a stream ends with finish" in message
    assert not (tmp_path / "insn.bin").exists()


def test_text_is_no_stream_and_is_told_what_it_is(saved: str, tmp_path: Path) -> None:
    texts = {
        "net.txt": ("// \u00e9\nfunc.func @f() {\n  func.return\n}\n", "is MLIR text, no stream of instruction words: "
                    "compile it with vtac compile {path} -o DIR, and give DIR"),
        "net.asm": (ASSEMBLY, "is assembly, no stream of instruction words: assemble it with vtac asm {path} -o FILE"),
        "net.json": ("{}\n", "is text, no stream of instruction words: give what vtac compile -o wrote, or a file of"),
    }  # fmt: skip
    for name, (text, said) in texts.items():
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        for command in (["check", path], ["disasm", path], ["diff", saved, path], ["diff", path, saved]):
            assert f"'{path}' {said.format(path=path)}" in refusal(*command)
