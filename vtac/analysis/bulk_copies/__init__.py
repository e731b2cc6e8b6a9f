"""Bulk copies: boxes of tensors that a machine copies by itself.

boxes                             box_dimensions, box_copies, box_stores
of clusters and of images         cluster_boxes, pixel_boxes
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
