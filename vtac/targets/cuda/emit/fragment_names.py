"""CUDA C++ names of the element types of fragments."""

FRAGMENT_ELEMENTS = {
    "f16": "half",
    "bf16": "__nv_bfloat16",
    "tf32": "wmma::precision::tf32",
    "f32": "float",
    "s8": "signed char",
    "u8": "unsigned char",
    "s32": "int",
}
"""Element types of fragments in CUDA C++."""
