"""Attention: two products with a softmax of rows between them. Begin with `attention_products`.

parts                             attention_products, attention_scores, attention_masks, attention_results
tilings                           attention_tiles
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
