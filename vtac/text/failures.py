"""How exceptions become reports, with the source location of the operation that was at work."""

from __future__ import annotations

from types import TracebackType

from xdsl.ir import Operation
from xdsl.utils.exceptions import DiagnosticException, MultipleSpansParseError, ParseError

from vtac.analysis.ir.locations import location_of
from vtac.errors import CompileError, EncodingError, EvaluationError, ExecutionError, JointCompileError, VtacError
from vtac.text.reports import InvalidModuleError, Report, SourceError, one_line


def reports_of(error: BaseException, fallback_location: str = "") -> list[Report]:
    """Returns what `error` has to say to the user, or nothing when it is no error of the input."""
    match error:
        case SourceError() | InvalidModuleError():
            return list(error.reports)
        case JointCompileError():
            advice = [Report("note", error.advice)] if error.advice else []
            return [report for one in error.errors for report in reports_of(one, fallback_location)] + advice
        case CompileError() | EncodingError() | EvaluationError():
            return [
                Report(
                    "error", _without_location(error), error.location or location_at_fault(error) or fallback_location
                )
            ]
        case ExecutionError() if error.location:
            return [Report("error", one_line(error.message.removeprefix(f"{error.location}: ")), error.location)]
        case VtacError():
            return [Report("error", one_line(error.message), fallback_location)]
        case ParseError():
            return _parse_reports(error)
        case DiagnosticException():
            location = location_at_fault(error) or fallback_location
            return [Report("error", one_line(str(error)) or type(error).__name__, location)]
        case RecursionError():
            message = "the program is nested too deeply for the compiler's recursion limit; use fewer nested regions"
            return [Report("error", message, fallback_location)]
        case _:
            return []


def location_at_fault(error: BaseException) -> str:
    """Returns `file:line:col` of the operation that was at work where `error` was raised, or an empty string.

    xDSL's errors carry no operation, yet a pass that raises one holds the operation in a variable:
    `op` in a rewrite pattern, `self` in an operation's own methods.
    """
    location = ""
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None:
        variables = traceback.tb_frame.f_locals
        for name in ("self", "op"):
            candidate = variables.get(name)
            if isinstance(candidate, Operation):
                location = location_of(candidate) or location
        traceback = traceback.tb_next
    return location


def _without_location(error: CompileError | EncodingError | EvaluationError) -> str:
    text = str(error)
    return text.removeprefix(f"{error.location}: ") if error.location else text


def _parse_reports(error: ParseError) -> list[Report]:
    reports = [Report("error", one_line(error.msg), str(error.span.get_location()))]
    if isinstance(error, MultipleSpansParseError):
        for span, message in error.refs:
            text = message or error.ref_text or "see here"
            reports.append(Report("note", one_line(text), str(span.get_location())))
    return reports
