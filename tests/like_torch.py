"""Parts of PyTorch as far as Kilonet asks for them, in NumPy: torch itself is not needed to test what is read of it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

RNG = np.random.default_rng(3)


class Tensor:
    """What the code may ask of a tensor of torch: it has to work on any device, and to be detached first."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values, np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def new_tensor(self, values: Any) -> "Tensor":
        return Tensor(values)

    def detach(self) -> "Tensor":
        return self

    def cpu(self) -> "Tensor":
        return self

    def numpy(self) -> Any:
        return self.values


class Module:
    """The parts of torch.nn.Module that are asked."""

    def __init__(self, *children: Any) -> None:
        self.parts, self.training = list(children), True

    def children(self) -> Iterator[Any]:
        return iter(dict.fromkeys(self.parts))  # each of them once, as torch does

    def modules(self) -> Iterator[Any]:
        yield self
        for part in self.parts:
            yield from part.modules()

    def eval(self) -> None:
        for part in self.modules():
            part.training = False

    def __call__(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x


class Sequential(Module):
    def __iter__(self) -> Iterator[Any]:
        return iter(self.parts)


class Linear(Module):
    def __init__(self, fan_in: int, units: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = Tensor(RNG.normal(size=(units, fan_in)) / np.sqrt(fan_in))
        self.bias = Tensor(np.zeros(units)) if bias else None

    def __call__(self, x: Tensor) -> Tensor:
        z = x.values @ self.weight.values.T
        return Tensor(z if self.bias is None else z + self.bias.values)


class ReLU(Module):
    def __call__(self, x: Tensor) -> Tensor:
        return Tensor(np.maximum(x.values, 0))


class Tanh(Module):
    def __call__(self, x: Tensor) -> Tensor:
        return Tensor(np.tanh(x.values))


class LeakyReLU(Module):
    negative_slope = 0.2

    def __call__(self, x: Tensor) -> Tensor:
        return Tensor(np.where(x.values > 0, x.values, 0.2 * x.values))


class PReLU(Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = Tensor([0.3])

    def __call__(self, x: Tensor) -> Tensor:
        return Tensor(np.where(x.values > 0, x.values, self.weight.values * x.values))


class Flatten(Module):
    def __call__(self, x: Tensor) -> Tensor:
        return Tensor(x.values.reshape(len(x.values), -1))


class Dropout(Module):
    p = 0.25

    def __call__(self, x: Tensor) -> Tensor:
        return Tensor(x.values * np.nan) if self.training else x  # whoever forgets eval() sees it


class Softmax(Module):
    pass


class Sigmoid(Module):
    pass


class Conv2d(Module):
    pass
