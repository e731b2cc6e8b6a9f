"""Reading programs: source text to verified IR whose every operation knows its `file:line:col`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from xdsl.context import Context
from xdsl.dialects.builtin import (
    UNKNOWN_LOC,
    DictionaryAttr,
    FileLineColLoc,
    IntAttr,
    ModuleOp,
    NameLoc,
    NoneAttr,
    StringAttr,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.parser import Parser
from xdsl.parser.generic_parser import ParserState
from xdsl.traits import IsolatedFromAbove
from xdsl.utils.exceptions import DiagnosticException, ParseError
from xdsl.utils.lexer import Input, Span, Token
from xdsl.utils.mlir_lexer import MLIRLexer, MLIRToken, MLIRTokenKind, StringLiteral

from vtac.errors import CompileError
from vtac.files.reading import RECORD_BYTES, like_missing, read_regular
from vtac.text.context import make_context
from vtac.text.directive_forms import form_of_directive
from vtac.text.excerpts import pointed, remember
from vtac.text.failures import reports_of
from vtac.text.parser_messages import restated
from vtac.text.reports import Report, SourceError, one_line
from vtac.text.resources import inline_resources, resource_store
from vtac.text.spellings import Spellings
from vtac.text.stated_locations import StatedLocationsParser
from vtac.text.undefined_values import undefined_values
from vtac.text.unknown_operations import further_unknown_operations, unknown_operation
from vtac.text.verification import verify

_ONLY_BLANKS_AND_COMMENTS = re.compile(r"(?:\s++|//[^\n]*+)*+")
MODEL_ENDINGS = (".onnx", ".pt2", ".pt", ".pth", ".tflite")
"""Names of files that hold trained models end so."""
_NEWLINE = re.compile("\n")

_NO_PLACES = (UNKNOWN_LOC, NoneAttr())
"""What stands for the place of an operation that has a name alone, in the versions of xDSL."""
_BYTECODE = b"ML\xefR"
"""How files of MLIR's bytecode begin."""
_QUOTED = 30


@pointed
def parse(source: Path | str) -> ModuleOp:
    """Parses and verifies `source`: a `Path` or a string without a newline names a file, any other string is text.

    Raises `CompileError` (its subclass `SourceError`, which lists every finding) with `file:line:col`.
    """
    context = make_context()
    if isinstance(source, str) and "\n" in source:
        module = parse_module(source, "<string>", context)
        remember(module, source)
        return module
    return parse_module(read_source(source), str(source), context)


T = TypeVar("T")


def read_source(path: Path | str) -> str:
    """Returns the file's text. Raises `CompileError` when it can't be read or is no UTF-8 text."""
    if Path(path).suffix.lower() in MODEL_ENDINGS:
        raise CompileError(
            f"'{path}' is a trained model, not a program: quantise it first, with 'vtac quantize {path} --calibration "
            "X.npz -o OUT.mlir', or in Python with vtac.from_onnx or vtac.from_torch and .quantize(samples).compile()"
        )
    try:
        data = _read_bytes(Path(path))
    except OSError as error:
        if _is_program(str(path)):
            raise CompileError(
                f"'{str(path)[:_QUOTED]}...' is a program, not the name of a file, which a text without line breaks is "
                "taken for; end it with a line break"
            ) from error
        raise CompileError(f"cannot read '{path}': {error.strerror or error}{like_missing(path, error)}") from error
    except ValueError as error:
        raise CompileError(f"cannot read '{path}': {error}") from error
    return decode_source(data, str(path))


def _is_program(name: str) -> bool:
    return "func.func" in name or "builtin.module" in name or "schedule.script" in name


def _read_bytes(path: Path) -> bytes:
    """A regular file, or what a program writes to `/dev/stdin` and the like; no other pipe, and no device."""
    if str(path).startswith(("/dev/fd/", "/dev/stdin", "/proc/self/fd/")):
        return path.read_bytes()
    return read_regular(path, RECORD_BYTES)


def decode_source(data: bytes, name: str) -> str:
    """Returns UTF-8 `data` as text. Raises `CompileError` with the place of the first byte that is not UTF-8."""
    if data.startswith(_BYTECODE):
        raise CompileError(f"'{name}' is MLIR bytecode: print it as text first, with 'mlir-opt FILE -o TEXT.mlir'")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        lines = data[: error.start].split(b"\n")
        location = f"{name}:{len(lines)}:{len(lines[-1]) + 1}"
        message = f"byte {data[error.start]:#04x} is not UTF-8 text; save the file as UTF-8"
        raise CompileError(message, location) from None


def is_blank(text: str) -> bool:
    """Whether `text` holds nothing but white space and comments."""
    return _ONLY_BLANKS_AND_COMMENTS.fullmatch(text) is not None


def parse_module(
    text: str, name: str, context: Context, *, check: bool = True, implicit_module: bool = True
) -> ModuleOp:
    """Parses `text`, called `name` in messages, and verifies it unless `check` is false.

    Operations outside of a module get one around them, unless `implicit_module` is false. Every
    operation gets the `FileLineColLoc` of its name in the text, unless the text states another location.
    Raises `SourceError` with `file:line:col` when it does not parse, else with all verification errors.
    """
    if is_blank(text):
        raise SourceError([Report("error", "the input is empty: expected a module or its operations", f"{name}:1:1")])
    store = resource_store(context)
    store.clear()
    module = _parse(text, name, context, implicit_module=implicit_module)
    if store:
        inline_resources(module, store)
    if check:
        verify(module)
    return module


def _parse(text: str, name: str, context: Context, *, implicit_module: bool) -> ModuleOp:
    parser: LocatingParser | None = None
    try:
        parser = LocatingParser(context, text, name)
        return parser.parse_module(implicit_module)
    except SourceError:
        raise
    except ParseError as error:
        first, *rest = undefined_values(error, text, name) or reports_of(error)
        reports = [restated(first, text, error.span.start), *rest]
        raise SourceError([*reports, *form_of_directive(text, name, error.span.start, context)]) from error
    except RecursionError as error:
        raise SourceError(reports_of(error, name)) from None
    except DiagnosticException as error:
        location = parser.location_text(parser.operation_start) if parser is not None else name
        raise SourceError([Report("error", one_line(str(error)), location)]) from error
    except Exception as error:
        location = parser.location_text(parser.operation_start) if parser is not None else name
        cause = f"{type(error).__name__}: {one_line(str(error))}" if str(error) else type(error).__name__
        start = parser.operation_start if parser is not None else 0
        said = restated(Report("error", f"cannot parse this operation ({cause})", location), text, start)
        raise SourceError([said]) from error


class _LinearLexer(MLIRLexer):
    """xDSL's lexer; its own pattern takes exponential time on a string that is not closed.

    Printers escape what is not ASCII, so a string of escaped UTF-8 is a string, too.
    """

    _unescaped_characters_regex = re.compile(r'"(?:[^"\\\n\v\f]|\\(?:["nt\\]|[0-9A-Fa-f]{2}))*+"')

    def _lex_string_literal(self, start_pos: int) -> MLIRToken:
        token = super()._lex_string_literal(start_pos)
        if token.kind is not MLIRTokenKind.BYTES_LIT:
            return token
        try:
            StringLiteral(token.span.start, token.span.end, self.input).bytes_contents.decode("utf-8")
        except UnicodeDecodeError:
            return token
        return Token(MLIRTokenKind.STRING_LIT, token.span)


class LocatingParser(StatedLocationsParser):
    """xDSL's parser, which also records where each operation's name stands and suggests names for unknown ones."""

    def __init__(self, ctx: Context, input: str, name: str) -> None:
        super().__init__(ctx, "", name)
        self._parser_state = ParserState(_LinearLexer(Input(input, name)))
        self._file = StringAttr(name)
        self._line_starts = [0, *(match.end() for match in _NEWLINE.finditer(input))]
        self._operation_starts: list[int] = []
        self._spellings = Spellings()

    @property
    def operation_start(self) -> int:
        """Position of the name of the operation being parsed, or of the next token outside of operations."""
        return self._operation_starts[-1] if self._operation_starts else self.pos

    def location_text(self, position: int) -> str:
        """Returns `file:line:col` of a position in the text."""
        line, column = self._line_and_column(position)
        return f"{self._file.data}:{line}:{column}"

    def parse_operation(self) -> Operation:
        operation = super().parse_operation()
        self._spellings.keep(operation)
        start = self._operation_starts.pop()
        if isinstance(operation, FuncOp) and not operation.body.blocks:
            self._refuse_lost_notes(start)
        if operation.location == UNKNOWN_LOC:
            operation.location = self._file_location(start)
        elif isinstance(operation.location, NameLoc) and operation.location.location in _NO_PLACES:
            operation.location = NameLoc(operation.location.desc, self._file_location(start))
        return operation

    def _refuse_lost_notes(self, start: int) -> None:
        """Attributes of arguments without names, which xDSL reads past; those of generic form it keeps."""
        arguments = self.lexer.input.content[start : self.pos].partition("->")[0].partition("attributes")[0]
        if not arguments.startswith('"') and "{" in arguments:
            self.raise_error("attributes of arguments of a function without a body are in generic form only", start)

    def parse_optional_attr_dict(self) -> dict[str, Attribute]:
        """Attributes, or an alias of them, as linalg.generic takes."""
        token = self._current_token
        if token.kind is MLIRTokenKind.HASH_IDENT:
            found = self.attribute_aliases.get(token.span.text)
            if isinstance(found, DictionaryAttr):
                self._consume_token(MLIRTokenKind.HASH_IDENT)
                return dict(found.data)
        return super().parse_optional_attr_dict()

    def parse_comma_separated_list(
        self, delimiter: Parser.Delimiter, parse: Callable[[], T], context_msg: str = ""
    ) -> list[T]:
        """A list; types of results may stand in parentheses, where xDSL's linalg.generic takes none."""
        bare = delimiter is self.Delimiter.NONE and parse == self.parse_attribute
        if bare and self._current_token.kind is MLIRTokenKind.L_PAREN:
            return super().parse_comma_separated_list(self.Delimiter.PAREN, parse, context_msg)
        return super().parse_comma_separated_list(delimiter, parse, context_msg)

    def _parse_op_result_list(self):
        results = super()._parse_op_result_list()
        self._operation_starts.append(self.pos)
        return results

    def _get_op_by_name(self, name: str) -> type[Operation]:
        found = self.ctx.get_optional_op(name, dialect_stack=self._parser_state.dialect_stack)
        if found is None:
            raise SourceError(self._unknown_operations(name))
        if found.has_trait(IsolatedFromAbove):
            self._spellings.enter()
        return found

    def _register_ssa_definition(self, name: str, values: Sequence[SSAValue], span: Span) -> None:
        super()._register_ssa_definition(name, values, span)
        self._spellings.note(name, values)

    def _unknown_operations(self, name: str) -> list[Report]:
        """This operation, which no dialect has, and all others like it further on."""
        start = self.operation_start
        this = Report("error", unknown_operation(name, self.ctx), self.location_text(start))
        text = self._parser_state.lexer.input.content
        return [this, *further_unknown_operations(text, start, self._file.data, self.ctx)]

    def _file_location(self, position: int) -> FileLineColLoc:
        line, column = self._line_and_column(position)
        return FileLineColLoc(self._file, IntAttr(line), IntAttr(column))

    def _line_and_column(self, position: int) -> tuple[int, int]:
        line = bisect_right(self._line_starts, position)
        return line, position - self._line_starts[line - 1] + 1
