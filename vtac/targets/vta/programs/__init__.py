"""Programs for the VTA: one stream or a host function around several, in memory and as saved directories.

By subject:

    programs                  vta_program, program, host_program, host_parts, device_call, arrays
    saved programs            saving, saved_program, saved_host_program, saved_stream, saved_buffers, saved_records
    programs compiled before  program_cache
    reports                   summary, layer_report, layer_names, provenance, intermediates, work, call_work
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
