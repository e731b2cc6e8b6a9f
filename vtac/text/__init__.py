"""MLIR text in, and texts about IR out: parsing with locations, verification, diagnostics.

By subject:

    reading                           source, context, resources, element_bits, stated_locations, spellings
    reading lowered layers without a parser
                                      plain_ir, plain_attributes
    verifying                         verification, violations, attributes, passed,
                                      upstream_rules, upstream_global_rules
    messages                          reports, failures, excerpts, nest_excerpts, short
      about texts that are wrong      parser_messages, unknown_operations, undefined_values, directive_forms,
                                      loop_extents
    writing                           printing, loop_nest
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
