"""Files that commands on the pages take for granted."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

import numpy as np
from page_blocks import ANY_ROWS, LAYER, ROOT, TWO_PRODUCTS, blocks

import vtac
from vtac.workloads.networks.recurrent import lstm_cell

SMALL_CONFIG = '{"LOG_BATCH": 2, "LOG_BLOCK": 3, "LOG_ACC_BUFF_SIZE": 18, "LOG_WGT_BUFF_SIZE": 16}'


def write_files(page: str, folder: Path) -> None:
    """The folders of the repository, and what a page names beside them."""
    for name in ("examples", "benchmarks"):
        (folder / name).symlink_to(ROOT / name)
    layer = _of_one_tile(LAYER) if page in ("exploring.md", "tuning.md") else LAYER
    for name in ("net.mlir", "other.mlir", "layer.mlir", "model.mlir"):
        (folder / name).write_text(layer)
    if page == "plain-programs.md":
        (folder / "layer.mlir").write_text(blocks(ROOT / "docs" / page, "mlir")[0])
    if page == "schedules.md":
        (folder / "small.json").write_text(SMALL_CONFIG)
    if page == "networks.md":
        (folder / "cell.mlir").write_text(lstm_cell(120).text())
    if page == "cuda-programs.md":
        (folder / "encoder.mlir").write_text(TWO_PRODUCTS)
        (folder / "layer.mlir").write_text(ANY_ROWS)
    if page == "models.md":
        write_model(folder)
    if page == "reports.md":
        vtac.compile(LAYER).save(folder / "build" / "net")
    if page == "fuzzing.md":
        (folder / "build" / "fuzz").mkdir(parents=True)
        case = min((ROOT / "tests" / "fuzz" / "corpus").glob("linalg_*.json"))
        copyfile(case, folder / "build" / "fuzz" / "linalg_7_0.json")


def _of_one_tile(layer: str) -> str:
    """The layer so small that few tilings of it have to be looked at."""
    return layer.replace("16x64", "16x16").replace("64x32", "16x16").replace("16x32", "16x16")


def write_model(folder: Path) -> None:
    """`net.onnx`: a convolution, a mean and a dense layer for images of any number and size; images and labels."""
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(0)
    weights = {"conv1.weight": (8, 3, 3, 3), "fc.weight": (5, 8), "fc.bias": (5,)}
    constants = [
        numpy_helper.from_array(random.normal(0, 0.3, shape).astype(np.float32), name)
        for name, shape in weights.items()
    ]
    nodes = [
        helper.make_node("Conv", ["image", "conv1.weight"], ["features"], pads=[1, 1, 1, 1], strides=[4, 4]),
        helper.make_node("Relu", ["features"], ["positive"]),
        helper.make_node("GlobalAveragePool", ["positive"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("Gemm", ["flat", "fc.weight", "fc.bias"], ["scores"], transB=1),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 32, 32])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 5])
    graph = helper.make_graph(nodes, "net", [image], [scores], constants)
    np.savez(folder / "images.npz", image=random.random((4, 3, 32, 32), np.float32))
    np.save(folder / "images.npy", random.random((4, 3, 32, 32), np.float32))
    np.save(folder / "labels.npy", np.zeros(4, np.int64))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    (folder / "net.onnx").write_bytes(model.SerializeToString())
