"""Locations that a text states, such as `loc("model.py":3:7)`, as MLIR prints them.

MLIR puts aliases of locations, `#loc3 = loc(...)`, behind the operations that name them, gives files ranges of places
(`"model.py":3:7 to :9`), and fused locations a note of what fused them. xDSL reads none of these.
"""

from __future__ import annotations

import re
from functools import cached_property

from xdsl.dialects.builtin import ArrayAttr, FileLineColLoc, FusedLoc, LocationAttr, NoneAttr
from xdsl.ir import Attribute
from xdsl.parser import Parser
from xdsl.utils.mlir_lexer import MLIRTokenKind

from vtac.text.element_bits import ElementBitsParser

_ALIAS = re.compile(r"^[ \t]*+(#[A-Za-z_][\w.$-]*+)[ \t]*+=", re.MULTILINE | re.ASCII)


class StatedLocationsParser(ElementBitsParser):
    """xDSL's parser, which reads all forms of MLIR's locations; of a range it keeps where it begins."""

    @cached_property
    def _ahead(self) -> dict[str, int]:
        """Where the text defines each alias of an attribute: the position behind its `=`."""
        return {found[1]: found.end() for found in _ALIAS.finditer(self.lexer.input.content)}

    @cached_property
    def _found_ahead(self) -> dict[str, LocationAttr | None]:
        """Aliases that were read before their turn; None for those that are being read."""
        return {}

    def _parse_location(self) -> LocationAttr:
        token = self._current_token
        if token.kind is MLIRTokenKind.HASH_IDENT and token.span.text not in self.attribute_aliases:
            return self._parse_alias_ahead(token.span.text)
        if token.kind is MLIRTokenKind.BARE_IDENT and token.span.text == "fused":
            return self._parse_fused()
        found = super()._parse_location()
        if isinstance(found, FileLineColLoc) and self.parse_optional_keyword("to") is not None:
            self._skip_end_of_range()
        return found

    def _parse_alias_ahead(self, name: str) -> LocationAttr:
        """An alias that is defined further on. Raises `ParseError` for one that is not, or that names itself."""
        if name not in self._found_ahead:
            if name not in self._ahead:
                self.raise_error(f"undefined symbol alias '{name}'")
            back, self._found_ahead[name] = self.pos, None
            self._resume_from(self._ahead[name])
            found = self.parse_optional_location()
            if found is None:
                self.raise_error(f"'{name}' stands where a location is required")
            self._found_ahead[name] = found
            self._resume_from(back)
        self._consume_token(MLIRTokenKind.HASH_IDENT)
        return self._found_ahead[name] or self.raise_error(f"the location '{name}' is defined by itself")

    def _parse_fused(self) -> FusedLoc:
        """`fused[...]`, or `fused<note>[...]`."""
        self.parse_keyword("fused")
        note: Attribute = NoneAttr()
        if self.parse_optional_punctuation("<") is not None:
            note = self.parse_attribute()
            self.parse_punctuation(">")
        parts = self.parse_comma_separated_list(Parser.Delimiter.SQUARE, self._parse_location)
        return FusedLoc(ArrayAttr[Attribute](parts), note)

    def _skip_end_of_range(self) -> None:
        """The end of a range: `:column` on the same line, or `line:column`."""
        if self.parse_optional_punctuation(":") is None:
            self.parse_integer(allow_boolean=False, allow_negative=False)
            self.parse_punctuation(":")
        self.parse_integer(allow_boolean=False, allow_negative=False)
