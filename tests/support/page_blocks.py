"""Blocks of code on the pages of the documentation, and what the pages take for granted of files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and its first line's number on the page."""

    language: str
    text: str
    line: int


def all_blocks(page: Path) -> list[Block]:
    """Every block of a page, in order."""
    text = page.read_text()
    return [Block(one[1], one[2], text.count("\n", 0, one.start()) + 2) for one in _BLOCK.finditer(text)]


def blocks(page: Path, language: str) -> list[str]:
    """The texts of a page's blocks in a language."""
    return [one.text for one in all_blocks(page) if one.language == language]


LAYER = """
func.func @layer(%x: tensor<16x64xi8>, %w: tensor<64x32xi8>) -> tensor<16x32xi32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<16x32xi32>
  %start = linalg.fill ins(%zero : i32) outs(%empty : tensor<16x32xi32>) -> tensor<16x32xi32>
  %y = linalg.matmul ins(%x, %w : tensor<16x64xi8>, tensor<64x32xi8>)
      outs(%start : tensor<16x32xi32>) -> tensor<16x32xi32>
  func.return %y : tensor<16x32xi32>
}
"""
"""A layer, where a page has any."""

TWO_PRODUCTS = """
func.func @two(%x: tensor<16x32xf16>, %w: tensor<32x32xf16>) -> tensor<16x32xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<16x32xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<16x32xf32>) -> tensor<16x32xf32>
  %y = linalg.matmul ins(%x, %w : tensor<16x32xf16>, tensor<32x32xf16>)
      outs(%start : tensor<16x32xf32>) -> tensor<16x32xf32>
  %halves = tensor.empty() : tensor<16x32xf16>
  %narrow = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%y : tensor<16x32xf32>) outs(%halves : tensor<16x32xf16>) {
  ^bb0(%a: f32, %o: f16):
    %scale = arith.constant 0.001 : f32
    %scaled = arith.mulf %a, %scale : f32
    %b = arith.truncf %scaled : f32 to f16
    linalg.yield %b : f16
  } -> tensor<16x32xf16>
  %z = linalg.matmul ins(%narrow, %w : tensor<16x32xf16>, tensor<32x32xf16>)
      outs(%start : tensor<16x32xf32>) -> tensor<16x32xf32>
  func.return %z : tensor<16x32xf32>
}
"""
"""A program of several kernels, where a page has any."""

ANY_ROWS = """
func.func @rows(%x: tensor<?x64xf16>, %w: tensor<64x32xf16>) -> tensor<?x32xf32> {
  %zero = arith.constant 0.0 : f32
  %first = arith.constant 0 : index
  %rows = tensor.dim %x, %first : tensor<?x64xf16>
  %empty = tensor.empty(%rows) : tensor<?x32xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x32xf32>) -> tensor<?x32xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x64xf16>, tensor<64x32xf16>)
      outs(%start : tensor<?x32xf32>) -> tensor<?x32xf32>
  func.return %y : tensor<?x32xf32>
}
"""
"""A product of any number of rows, where a page has any."""
