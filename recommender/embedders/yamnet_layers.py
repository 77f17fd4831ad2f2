"""The convolutions of YAMNet, a MobileNet: one ordinary one, then thirteen in two steps each."""

from typing import NamedTuple

FILTERS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


class Layer(NamedTuple):
    """A convolution: its name in Keras, the shape of its kernel in torch, and its stride."""

    name: str
    shape: tuple[int, int, int, int]
    stride: int

    @property
    def kernel(self) -> str:
        """What Keras calls the kernel."""
        return "depthwise_kernel" if "depthwise" in self.name else "kernel"


def _layers() -> tuple[Layer, ...]:
    layers = [Layer("layer1/conv", (32, 1, 3, 3), 2)]
    for number, (filters, stride) in enumerate(zip(FILTERS, STRIDES, strict=True), start=2):
        channels = layers[-1].shape[0]
        layers += [
            Layer(f"layer{number}/depthwise_conv", (channels, 1, 3, 3), stride),
            Layer(f"layer{number}/pointwise_conv", (filters, channels, 1, 1), 1),
        ]
    return tuple(layers)


LAYERS = _layers()
