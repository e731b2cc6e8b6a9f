"""The static checker: proves an instruction stream safe, or names what is not."""

from vtac.interpreter.check.entry import CheckableProgram, check
from vtac.interpreter.check.finding import LISTED_PER_KIND, Finding

__all__ = ["LISTED_PER_KIND", "CheckableProgram", "Finding", "check"]
