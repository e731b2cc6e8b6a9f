"""The static checker: proves an instruction stream safe, or names what is not."""

from vtac.targets.vta.proof.entry import CheckableProgram, CheckableStream, check
from vtac.targets.vta.proof.finding import LISTED_PER_KIND, Finding

__all__ = ["LISTED_PER_KIND", "CheckableProgram", "CheckableStream", "Finding", "check"]
