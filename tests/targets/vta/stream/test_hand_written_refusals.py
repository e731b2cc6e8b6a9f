"""Programs written by hand that no stream can say: each refused where it stands."""

from __future__ import annotations

import pytest
from hand_written import BUFFER, CALL, KERNEL, load, loop, program

import vtac
from vtac.errors import VtacError
from vtac.targets.vta.stream.build import build_program

_MANY = "%many = arith.addi %end, %first : index\nscf.for"
_REFUSED = {
    "a kernel that calls a kernel": (
        program(
            f"func.call @m(%a, %c) : ({BUFFER}, {BUFFER}) -> ()",
            KERNEL + f"func.func @m(%a: {BUFFER}, %c: {BUFFER}) {{\n{CALL}\nfunc.return\n}}\n",
        ),
        "12:1: kernel 'm' calls 'k'; a kernel calls no other: write the operations in place of the call",
    ),
    "a kernel of an index": (
        program(
            f"%i = arith.constant 3 : index\nfunc.call @k(%a, %c, %i) : ({BUFFER}, {BUFFER}, index) -> ()",
            KERNEL.replace(f"%y: {BUFFER}) {{", f"%y: {BUFFER}, %i: index) {{"),
        ),
        "1:1: kernel 'k' takes index; a kernel takes buffers, stores to them, and returns nothing",
    ),
    "a declaration called": (
        program(f"func.call @k(%a, %c) : ({BUFFER}, {BUFFER}) -> ()", f"func.func private @k({BUFFER}, {BUFFER})\n"),
        "3:1: call of 'k', which is no function with a body",
    ),
    "no end": (
        KERNEL + f"func.func @main(%a: {BUFFER}, %c: {BUFFER}) {{\n{CALL}\nfunc.return\n}}\n",
        "11:1: function 'main' does not wait for the VTA: end it with vta.sync",
    ),
    "no end of operations": (
        f"func.func @main(%a: {BUFFER}) {{\n{load()}\nfunc.return\n}}\n",
        "1:1: function 'main' does not wait for the VTA: end it with vta.sync",
    ),
    "nothing at all": (
        f"func.func @main(%a: {BUFFER}) {{\nfunc.return\n}}\n",
        "1:1: function 'main' gives the VTA nothing to do",
    ),
    "a step of 0": (program(loop(load("%i"), step=0)), "5:1: 'scf.for' steps by 0; a positive step is required"),
    "a negative step": (
        program(loop(load("%i"), step=-2)),
        "5:1: 'scf.for' steps by -2; a positive step is required",
    ),
    "a loop without an end": (
        program(loop(load("%i"), end=(1 << 63) - 1).replace("to %end", "to %many").replace("scf.for", _MANY)),
        "6:1: the host of the VTA would run 9,223,372,036,854,775,807 iterations; the limit is 2,147,483,647 (set "
        "VTAC_MAX_ITERATIONS to allow more)",
    ),
    "an index of more than 64 bits": (
        program(f"%n = arith.constant 9223372036854775807 : index\n%m = arith.muli %n, %n : index\n{load('%m')}"),
        "3:6: 'arith.muli' gives an index of 2**125 or more; 64 bits hold "
        "-9,223,372,036,854,775,808 to 9,223,372,036,854,775,807",
    ),
    "a field over its width": (
        program(load(x_size=70000)),
        "2:1: 'vta.load_2d': cannot encode instruction 0 (LOAD): field x_size is 70000; it has 16 bits, an integer "
        "from "
        "0 to 65535 is required",
    ),
    "a field over its width in a nest": (
        program(loop(load(dram="%i", sram=65536), end=100)),
        "6:1: 'vta.load_2d': cannot encode instruction 0 (LOAD): field sram_base is 65536; it has 16 bits, an integer "
        "from "
        "0 to 65535 is required",
    ),
    "a micro-op over its width": (
        program(
            "vta.gemm reset loops [] micro [] () -> (0, 0, 0)\nvta.gemm reset loops [] micro [1] (d0) -> (d0 - 5, d0, "
            "d0)"
        ),
        "3:1: 'vta.gemm': cannot encode micro-op 1: dst is -5; it has 11 bits, an integer from 0 to 2047 is required",
    ),
    "a block over its memory": (
        program(load(x_size=40000)),
        "2:1: 'vta.load_2d': cannot encode instruction 0 (LOAD): its block ends at SRAM element 40,000; the memory "
        "has 2,048",
    ),
    "a block over its memory, before tokens are placed": (
        program(f"{load(x_size=30000, y_size=30000)}\nvta.sync dataflow"),
        "2:1: 'vta.load_2d': cannot encode instruction 0 (LOAD): its block ends at SRAM element 900,000,000; the "
        "memory has "
        "2,048",
    ),
    "a transfer that no address reaches": (
        program(f"{load(dram=1 << 28)}\nvta.sync dataflow"),
        "2:1: 'vta.load_2d': cannot encode instruction 0 (LOAD): its last byte in DRAM lies before 4,294,971,456; the "
        "memory "
        "has 4,294,967,296",
    ),
    "tokens beside those that follow the data": (
        program(f'{load()}\nvta.dep_push "load", "compute"\nvta.sync dataflow'),
        "3:1: 'vta.dep_push' stands in a program that ends with vta.sync dataflow, which places all tokens itself: "
        "remove "
        "it, or end with vta.sync",
    ),
    "two ends": (
        program(f"vta.sync\n{load()}\nvta.sync"),
        "3:1: 'vta.load_2d' comes behind a vta.sync, which ends the program: one vta.sync is required, which runs "
        "last and "
        "once",
    ),
    "a buffer of unknown extent": (
        program(load().replace("64x1", "?x1"), arguments="%a: memref<?x1x16xi8>"),
        "1:1: 'a' is memref<?x1x16xi8>; buffers in DRAM have extents that are known: state them",
    ),
    "a buffer of unknown strides": (
        program(
            load().replace("xi8>", "xi8, strided<[?, 16, 1]>>"),
            arguments="%a: memref<64x1x16xi8, strided<[?, 16, 1]>>",
        ),
        "1:1: 'a' is memref<64x1x16xi8, strided<[?, 16, 1]>>; strides that are known and not negative are required",
    ),
    "a buffer on the chip": (
        program(load().replace("xi8>", 'xi8, "vta.inp">'), arguments='%a: memref<64x1x16xi8, "vta.inp">'),
        "1:1: 'a' is memref<64x1x16xi8, \"vta.inp\">, on the chip; a buffer that transfers and calls name lies in "
        "DRAM: give "
        "it no memory space, and tiles on the chip by their number",
    ),
    "floats": (
        program(load().replace("xi8>", "xf32>"), arguments="%a: memref<64x1x16xf32>"),
        "1:1: 'a' is memref<64x1x16xf32>; the VTA works on integer memrefs",
    ),
    "an on-chip buffer without a place": (
        program("vta.alu add imm 1 on(%c, %c : memref<64x1x16xi8>, memref<64x1x16xi8>) loops [] micro [] () -> (0, 0)"),
        "2:1: 'vta.alu' names a buffer on the chip, which has no address yet: run vta-place-buffers, or count tiles "
        "from the "
        "start of the memory",
    ),
    "a view between two tiles": (
        program(
            "%v = memref.reinterpret_cast %a to offset: [3], sizes: [64, 1, 16], strides: [16, 16, 1] : "
            f"{BUFFER} to memref<64x1x16xi8, strided<[16, 16, 1], offset: 3>>\n"
            + load(buffer="%v").replace("xi8>", "xi8, strided<[16, 16, 1], offset: 3>>")
        ),
        "3:1: 'vta.load_2d' counts inp tiles of 16 bytes from byte 4,099, within one: a buffer that starts at a "
        "multiple of "
        "16 bytes is required",
    ),
    "a view whose place is computed": (
        program(
            "%o = arith.constant 16 : index\n"
            "%v = memref.reinterpret_cast %a to offset: [%o], sizes: [64, 1, 16], strides: [16, 16, 1] : "
            f"{BUFFER} to memref<64x1x16xi8, strided<[16, 16, 1], offset: ?>>\n"
            + load(buffer="%v").replace("xi8>", "xi8, strided<[16, 16, 1], offset: ?>>")
        ),
        "3:6: 'memref.reinterpret_cast' has an offset that is computed; the host of the VTA takes a constant one",
    ),
    "a buffer of a kernel's own": (
        program(CALL, KERNEL.replace("vta.load_2d acc8 %x", f"%v = memref.alloc() : {BUFFER}\nvta.load_2d acc8 %v")),
        "2:8: 'memref.alloc' has no address in DRAM: transfers and calls name arguments, allocations and constants of "
        "the "
        "program, and in a kernel its arguments",
    ),
    "a reference to nothing": (
        program(f"%v = memref.get_global @g : {BUFFER}\n{load(buffer='%v')}"),
        "2:6: 'memref.get_global' does not verify: it names @g, which is no memref.global of the module",
    ),
    "a reference of another type": (
        '"memref.global"() <{sym_name = "g", sym_visibility = "private", type = memref<4xi8>, initial_value = '
        "dense<1> : "
        "tensor<4xi8>}> : () -> ()\n" + program(f"%v = memref.get_global @g : {BUFFER}\n{load(buffer='%v')}"),
        "3:6: 'memref.get_global' does not verify: it is memref<64x1x16xi8>, @g is memref<4xi8>: equal types are "
        "required",
    ),
    "contents of another shape": (
        f'"memref.global"() <{{sym_name = "g", sym_visibility = "private", type = {BUFFER}, initial_value = dense<1> : '
        "tensor<4xi8>}> : () -> ()\n" + program(load()),
        "1:1: 'memref.global' does not verify: it is memref<64x1x16xi8>, its contents have [4] of i8: one shape and "
        "element type are required",
    ),
}


@pytest.mark.parametrize(("text", "message"), _REFUSED.values(), ids=list(_REFUSED))
def test_what_no_stream_can_say_is_refused_where_it_stands(text: str, message: str) -> None:
    with pytest.raises(VtacError) as caught:
        build_program(vtac.parse(text))
    assert str(caught.value) == f"<string>:{message}"
    assert caught.value.locations == (f"<string>:{':'.join(message.split(':')[:2])}",)
