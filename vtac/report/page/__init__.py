"""The HTML report: one module for each section, templates, style and scripts beside them."""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
