"""The networks that measurements cover, by name, at their usual sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from vtac.workloads.networks.dcgan import dcgan
from vtac.workloads.networks.densenet import densenet121
from vtac.workloads.networks.mixer import mlp_mixer
from vtac.workloads.networks.mlp import mlp
from vtac.workloads.networks.mobilenet import mobilenet_v1, mobilenet_v2
from vtac.workloads.networks.network import Network
from vtac.workloads.networks.recurrent import gru_cell, lstm_cell
from vtac.workloads.networks.resnet import resnet
from vtac.workloads.networks.shufflenet import shufflenet_v2
from vtac.workloads.networks.squeezenet import squeezenet
from vtac.workloads.networks.transformer import transformer_layer
from vtac.workloads.networks.unet import unet
from vtac.workloads.networks.vgg import vgg16
from vtac.workloads.networks.yolo import yolov3_tiny

NETWORKS: Mapping[str, Callable[[], Network]] = {
    "resnet18": partial(resnet, 18),
    "resnet34": partial(resnet, 34),
    "resnet50": partial(resnet, 50),
    "resnet101": partial(resnet, 101),
    "vgg16": vgg16,
    "mobilenet-v1": mobilenet_v1,
    "mobilenet-v2": mobilenet_v2,
    "shufflenet-v2": shufflenet_v2,
    "squeezenet": squeezenet,
    "densenet121": densenet121,
    "yolov3-tiny": partial(yolov3_tiny, activation="relu"),
    "unet": unet,
    "dcgan": dcgan,
    "lstm-cell": lstm_cell,
    "gru-cell": gru_cell,
    "transformer-layer": transformer_layer,
    "mlp-mixer": mlp_mixer,
    "mlp": mlp,
}

SMALL: Mapping[str, Callable[[], Network]] = {
    "resnet18": partial(resnet, 18, 32, 10, base=12),
    "resnet34": partial(resnet, 34, 32, 10, base=8),
    "resnet50": partial(resnet, 50, 32, 10, base=8),
    "vgg16": partial(vgg16, 32, 10, base=8, hidden=100),
    "mobilenet-v1": partial(mobilenet_v1, 32, 10),
    "mobilenet-v2": partial(mobilenet_v2, 32, 10),
    "shufflenet-v2": partial(shufflenet_v2, 32, 10, widths=(20, 44), units=(2, 2), last=40),
    "squeezenet": partial(squeezenet, 48, 10),
    "densenet121": partial(densenet121, 32, 10, growth=8, blocks=(2, 2)),
    "yolov3-tiny": partial(yolov3_tiny, 64, 3, base=4),
    "unet": partial(unet, 16, 8, 2),
    "dcgan": partial(dcgan, 20, 16),
    "lstm-cell": partial(lstm_cell, 40, 3),
    "gru-cell": partial(gru_cell, 40, 3),
    "transformer-layer": partial(transformer_layer, 20, 48, 3),
    "mlp-mixer": partial(mlp_mixer, 20, 40, 1),
    "mlp": partial(mlp, 3, (50, 40, 10)),
}
"""The same networks at sizes at which all of them compile and run within seconds."""
