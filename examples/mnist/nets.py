"""Three small networks for 28 x 28 images, as torch modules: LeNet, a residual one, one of the kind of MobileNetV2."""

from __future__ import annotations

from torch import Tensor, nn


class LeNet(nn.Sequential):
    """LeCun et al., 1998, with relu and maxima."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(400, 120)
        self.relu3 = nn.ReLU()
        self.fc2 = nn.Linear(120, 84)
        self.relu4 = nn.ReLU()
        self.fc3 = nn.Linear(84, 10)


class _Block(nn.Module):
    """Two convolutions beside an identity, or beside a 1 x 1 convolution where the shape changes."""

    def __init__(self, channels: int, features: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, features, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(features)
        self.conv2 = nn.Conv2d(features, features, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(features)
        self.relu = nn.ReLU()
        self.downsample = (
            nn.Sequential(nn.Conv2d(channels, features, 1, stride, bias=False), nn.BatchNorm2d(features))
            if stride > 1 or channels != features
            else nn.Identity()
        )

    def forward(self, data: Tensor) -> Tensor:
        inner = self.relu(self.bn1(self.conv1(data)))
        return self.relu(self.bn2(self.conv2(inner)) + self.downsample(data))


class ResidualNet(nn.Sequential):
    """Nine convolutions in three blocks (He et al., 2016)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.layer1 = _Block(16, 16, 1)
        self.layer2 = _Block(16, 32, 2)
        self.layer3 = _Block(32, 64, 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(64, 10)


class _Inverted(nn.Module):
    """More channels, a convolution by channel, fewer channels without an activation (Sandler et al., 2018)."""

    def __init__(self, channels: int, features: int, stride: int, expansion: int = 4) -> None:
        super().__init__()
        hidden = channels * expansion
        self.is_residual = stride == 1 and channels == features
        self.expand = _normalised(nn.Conv2d(channels, hidden, 1, bias=False), nn.ReLU6())
        self.depthwise = _normalised(nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False), nn.ReLU6())
        self.project = _normalised(nn.Conv2d(hidden, features, 1, bias=False))

    def forward(self, data: Tensor) -> Tensor:
        found = self.project(self.depthwise(self.expand(data)))
        return data + found if self.is_residual else found


class MobileNet(nn.Sequential):
    """An eighth of MobileNetV2 in depth and width."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _normalised(nn.Conv2d(1, 16, 3, 2, 1, bias=False), nn.ReLU6())
        self.block1 = _Inverted(16, 16, 1)
        self.block2 = _Inverted(16, 24, 2)
        self.block3 = _Inverted(24, 24, 1)
        self.block4 = _Inverted(24, 32, 1)
        self.block5 = _Inverted(32, 32, 1)
        self.head = _normalised(nn.Conv2d(32, 96, 1, bias=False), nn.ReLU6())
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(96, 10)


def _normalised(convolution: nn.Conv2d, *after: nn.Module) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels), *after)


NETS: dict[str, type[nn.Sequential]] = {"lenet": LeNet, "residual": ResidualNet, "mobilenet": MobileNet}
