"""Verification that reports everything: each operation's own rules, block structure and SSA dominance."""

from __future__ import annotations

from xdsl.ir import Operation

from vtac.analysis.ir.dominance import DominanceViolation, dominance_violations
from vtac.analysis.ir.locations import location_of
from vtac.text.passed import Passed
from vtac.text.reports import InvalidModuleError, Report, SourceError
from vtac.text.violations import repeated_symbols, violations


def verify(module: Operation) -> None:
    """Raises `SourceError` with every violation under a module that was read, sorted by source position."""
    if not Passed().is_right(module) and (reports := verification_reports(module)):
        raise SourceError(reports)


def verify_result(module: Operation, when: str, passed: Passed | None = None) -> None:
    """Raises `InvalidModuleError` with every violation under `module`, which are the compiler's doing.

    `when` is put before each message, to say when the violation arose; `passed` is what passed in earlier states
    of the module.
    """
    known = Passed() if passed is None else passed
    if not known.is_right(module) and (reports := verification_reports(module)):
        raise InvalidModuleError(
            [Report(report.severity, f"{when}: {report.message}", report.location) for report in reports]
        )


def verification_reports(module: Operation) -> list[Report]:
    """Returns one error per violation under `module`, sorted by source position, notes after their error."""
    groups: list[list[Report]] = []
    for operation in module.walk():
        groups += [[Report("error", message, location_of(operation))] for message in violations(operation)]
        groups += [[report] for report in repeated_symbols(operation)]
    groups += [_dominance_reports(violation) for violation in dominance_violations(module)]
    groups.sort(key=lambda group: group[0].position)
    return [report for group in groups for report in group]


def _dominance_reports(violation: DominanceViolation) -> list[Report]:
    name = violation.user.operands[violation.operand_index].name_hint
    value = f" (%{name})" if name else ""
    message = (
        f"operand #{violation.operand_index}{value} of '{violation.user.name}' does not dominate this use: "
        f"{violation.reason}"
    )
    reports = [Report("error", message, location_of(violation.user))]
    if violation.definition is not None:
        reports.append(Report("note", "the operand is defined here", location_of(violation.definition)))
    return reports
