"""CUDA programs for tensor cores: text and launch record, execution without a GPU, launch on one.

By subject; `schedules/`, `emit/`, `cpu/`, `gpu/` and `export/` have front pages of their own:

    compilation      target, compiling, pipeline, building, splitting
    programs         program, compiled, arrays, comparison, torch_op
    launch records   launch, map_record, saved_record, loading
    several kernels  network, plan, planning, plan_record, saved_network
    dynamic sizes    dynamic, dynamic_plan
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
