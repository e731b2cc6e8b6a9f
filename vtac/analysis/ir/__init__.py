"""Operations, functions and modules as they stand, whatever they compute.

walks and places                  walks, locations, lowered, attribute_texts
functions and modules             target, gpu_architecture, branches, device_functions
what is known of them             dominance, fingerprint, kept_facts
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
