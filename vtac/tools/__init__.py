"""The command-line tools: `vtac-opt`, which transforms IR, and `vtac`, which compiles and runs programs."""
