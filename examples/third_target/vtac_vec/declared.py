"""Attributes of the vec dialect that several files read, as the verifier knows them."""

from __future__ import annotations

from vtac.dialects.declared import Declared, declare, integer

MACHINE = declare(Declared("vec.machine", integer(2), ("builtin.module",), "how many vector registers the machine has"))
REGISTER = declare(Declared("vec.register", integer(0), ("memref.alloc",), "the number of a buffer's register"))
