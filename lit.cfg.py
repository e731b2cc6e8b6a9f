"""lit's configuration: `lit tests` runs every `.mlir` file with `RUN:` lines. pytest runs the same files in process."""

# ruff: noqa: F821
# pyright: reportUndefinedVariable=false, reportUnknownMemberType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false
import os
import sys

import lit.formats

config.name = "vtac"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.excludes = ["inputs", "data"]
config.test_source_root = os.path.dirname(os.path.abspath(__file__))
config.test_exec_root = os.path.join(config.test_source_root, "build", "lit")
config.environment["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), config.environment.get("PATH", "")])
# Checks compile what they check: no program comes from the cache of the user.
config.environment["VTAC_CACHE_DIR"] = "off"
