"""A program that uses the installed package: type checkers see its types, and so see what is wrong in it."""

import vtac

lanes: int = vtac.VTAConfig().log_block
wrong: str = vtac.VTAConfig().log_block  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
