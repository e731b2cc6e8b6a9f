"""Programs of the vta dialect as a person writes them."""

from __future__ import annotations

BUFFER = "memref<64x1x16xi8>"
KERNEL = f"""func.func @k(%x: {BUFFER}, %y: {BUFFER}) {{
  vta.load_2d acc8 %x [dram = 0, x_size = 64, y_size = 1, x_stride = 64, x_pad_before = 0, y_pad_before = 0,
      x_pad_after = 0, y_pad_after = 0, sram = 0] : {BUFFER}
  vta.dep_push "compute", "store"
  vta.dep_pop "compute", "store"
  vta.store_2d out %y [sram = 0, dram = 0, x_size = 64, y_size = 1, x_stride = 64] : {BUFFER}
  vta.dep_push "store", "compute"
  vta.dep_pop "store", "compute"
  func.return
}}
"""
CALL = f"func.call @k(%a, %c) : ({BUFFER}, {BUFFER}) -> ()"


def load(
    dram: object = 0, x_size: object = 4, y_size: object = 1, stride: object = 4, sram: object = 0, buffer: str = "%a"
) -> str:
    return (
        f"vta.load_2d inp {buffer} [dram = {dram}, x_size = {x_size}, y_size = {y_size}, x_stride = {stride}, "
        f"x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = {sram}] : {BUFFER}"
    )


def program(body: str, kernels: str = "", arguments: str = f"%a: {BUFFER}, %c: {BUFFER}") -> str:
    """A program with the body from line 2 on, without kernels; `sync` at its end."""
    end = "" if "vta.sync" in body else "  vta.sync\n"
    return f"{kernels}func.func @main({arguments}) {{\n{body}\n{end}  func.return\n}}\n"


def loop(body: str, first: int = 0, end: int = 4, step: int = 1) -> str:
    constants = [f"%{n} = arith.constant {v} : index" for n, v in (("first", first), ("end", end), ("step", step))]
    return "\n".join([*constants, f"scf.for %i = %first to %end step %step {{\n{body}\n}}"])
