"""The HTML report: one module for each section, templates, style and scripts beside them.

By subject:

    a page                      document, section, templating, packed, lowering
    what a target shows         vta, cuda, cuda_network, exploration
    sections                    summary, layers, timeline, memory, steps, levels, findings, quantisation, sweep
    drawings and coloured text  roofline, occupancy, labels, ir_text, highlight
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
