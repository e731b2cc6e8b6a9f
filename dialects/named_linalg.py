"""linalg's named operations that frontends emit and xDSL lacks, or reads with one element type only.

Each is a name for a `linalg.generic`: its maps follow from strides and dilations, its hidden
body converts the operands to the accumulator's type, subtracts zero points where the operation
has them, multiplies and adds (or takes a maximum, a minimum or a sum); or it computes each element.
`NamedLinalg` is xDSL's linalg dialect with these in place of the operations of the same name.
"""

from __future__ import annotations

from xdsl.dialects.linalg import Linalg
from xdsl.ir import Attribute, Dialect, Operation

from vtac.dialects.frontend_reductions import READERS, MapReader
from vtac.dialects.named_elementwise import ELEMENTWISE
from vtac.dialects.named_lines import LINES
from vtac.dialects.named_products import PRODUCTS, TypeFnAttr
from vtac.dialects.named_spaces import SPACES
from vtac.dialects.named_windows import WINDOWS

_OPS = (*PRODUCTS, *WINDOWS, *LINES, *SPACES)


def _with_ours() -> list[type[Operation]]:
    ours: dict[str, type[Operation]] = {op.name: op for op in (*_OPS, *ELEMENTWISE, MapReader)}
    theirs = [ours.pop(op.name, READERS.get(op, op)) for op in Linalg.operations]
    return [*theirs, *ours.values()]


_ATTRIBUTES: list[type[Attribute]] = [*Linalg.attributes, TypeFnAttr]
NamedLinalg = Dialect("linalg", _with_ours(), _ATTRIBUTES)


_DIMENSIONS = {"d": "od", "h": "oh", "w": "ow", "D": "kd", "H": "kh", "W": "kw"}
_LOOPS = {op.name: op.LOOPS for op in _OPS}


def dimension_names(name: str) -> tuple[str, ...]:
    """What the iterators of a named operation are called (`m`, `oh`, `kw`, ...), in order; none for other names."""
    return tuple(_DIMENSIONS.get(letter, letter.lower()) for letter in _LOOPS.get(name, ""))
