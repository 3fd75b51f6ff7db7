"""Owns the nets for images: their parameters, and their training in f64, which shares nothing with a peer.

A function of layers gives its value and a pullback: from the derivative by the value to a tuple of those by its arguments. A
layer is a function of the parameters p and of x; its pullback gives the derivative by x, and those by parameters by their paths.
Images are [row of the batch, channel, row, column].
"""

from dataclasses import dataclass
from math import prod

import numpy as np

CLASSES = 10
EPSILON = 1e-5


def conv(x, K, stride=1, pad=0):
    """y[n, o, i, j] = sum over c, r, s of K[o, c, r, s] x[n, c, stride i + r - pad, stride j + s - pad]."""
    # Place by place of K, with the channels last: what is contracted is one after the other in memory.
    padded = np.pad(x.transpose(0, 2, 3, 1), ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    height, width = ((size + 2 * pad - kernel) // stride + 1 for size, kernel in zip(x.shape[2:], K.shape[2:]))
    places = [(r, s, np.s_[:, r:r + stride * height:stride, s:s + stride * width:stride]) for r, s in np.ndindex(K.shape[2:])]
    y = sum(np.tensordot(padded[at], K[:, :, r, s], ((3,), (1,))) for r, s, at in places)

    def pullback(dy):
        dy = dy.transpose(0, 2, 3, 1)
        dpadded, dK = np.zeros_like(padded), np.zeros_like(K)
        for r, s, at in places:
            dpadded[at] += np.tensordot(dy, K[:, :, r, s], 1)
            dK[:, :, r, s] = np.tensordot(dy, padded[at], ((0, 1, 2), (0, 1, 2)))
        return dpadded[:, pad:pad + x.shape[2], pad:pad + x.shape[3]].transpose(0, 3, 1, 2), dK

    return y.transpose(0, 3, 1, 2), pullback


def with_bias(x, b):
    return x + b[:, None, None], lambda dy: (dy, dy.sum(axis=(0, 2, 3)))


def dense(x, W, b):
    return x @ W.T + b, lambda dy: (dy @ W, dy.T @ x, dy.sum(axis=0))


def relu(x):
    return np.maximum(x, 0), lambda dy: (dy * (x > 0),)


def max_pool(x):
    """The largest of 2 x 2. Equal ones all get the derivative: behind a relu they are 0, and it lets nothing through there."""
    n, c, h, w = x.shape
    squares = x.reshape(n, c, h // 2, 2, w // 2, 2)
    y = squares.max(axis=(3, 5), keepdims=True)
    return y[:, :, :, 0, :, 0], lambda dy: (((squares == y) * dy[:, :, :, None, :, None]).reshape(x.shape),)


def global_avg_pool(x):
    return x.mean(axis=(2, 3)), lambda dy: (np.broadcast_to(dy[:, :, None, None] / prod(x.shape[2:]), x.shape),)


def flatten(x):
    return x.reshape(len(x), -1), lambda dy: (dy.reshape(x.shape),)


def normalised(x, gain, shift):
    """Of each channel, by the mean and the variance of the batch."""
    over = (0, 2, 3)
    centred = x - x.mean(axis=over, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=over, keepdims=True) + EPSILON)
    unit = centred / deviation

    def pullback(dy):
        du = dy * gain[:, None, None]
        dx = (du - du.mean(axis=over, keepdims=True) - unit * (du * unit).mean(axis=over, keepdims=True)) / deviation
        return dx, (dy * unit).sum(axis=over), dy.sum(axis=over)

    return unit * gain[:, None, None] + shift[:, None, None], pullback


def layer(function, *paths, **options):
    def apply(p, x):
        y, of_arguments = function(x, *(p[path] for path in paths), **options)

        def pullback(dy):
            dx, *gradient = of_arguments(dy)
            return dx, dict(zip(paths, gradient))

        return y, pullback
    return apply


def chain(*layers):
    def apply(p, x):
        pullbacks = []
        for each in layers:
            x, pullback = each(p, x)
            pullbacks.append(pullback)

        def pullback(d):
            gradient = {}
            for back in reversed(pullbacks):
                d, more = back(d)
                gradient |= more
            return d, gradient

        return x, pullback
    return apply


def conv_norm(path, stride=1):
    return chain(layer(conv, f"{path}.conv2d.W", stride=stride, pad=1),
                 layer(normalised, f"{path}.normalised.gain", f"{path}.normalised.shift"))


def block(path, stride):
    """relu(shortcut(x) + f(x)): of x every pixel, or every second one and channels of zeros behind (option A of the paper)."""
    inner = chain(conv_norm(f"{path}.conv_norm[0]", stride), layer(relu), conv_norm(f"{path}.conv_norm[1]"))

    def apply(p, x):
        y, of_inner = inner(p, x)
        shortcut = np.zeros_like(y)
        shortcut[:, :x.shape[1]] = x[:, :, ::stride, ::stride]
        y, of_relu = relu(shortcut + y)

        def pullback(dy):
            d, = of_relu(dy)
            dx, gradient = of_inner(d)
            dx[:, :, ::stride, ::stride] += d[:, :x.shape[1]]
            return dx, gradient

        return y, pullback
    return apply


@dataclass(frozen=True)
class Net:
    """LeCun and others 1998 for 28 x 28, or He and others 2015 for 32 x 32."""

    image: tuple  # channels, rows, columns
    weights: dict  # by the path in the program, in the order of the layers: the shape, and the places where all of it is used
    forward: object  # a layer
    check_steps: int  # after so many the loss is compared: what rounding does to a net grows from step to step

    @property
    def multiply_adds(self):
        """Of a row: forward, gradient of weights, gradient of inputs but the first."""
        sizes = [prod(shape) * places for shape, places in self.weights.values()]
        return 3 * sum(sizes) - sizes[0]

    def parameters(self, spread):
        """`spread` gives the numbers of a stream, of a shape, so far around 0."""
        result, fan_in = {}, 1
        for k, (path, (shape, _)) in enumerate(self.weights.items()):
            fan_in = prod(shape[1:]) if len(shape) > 1 else fan_in
            fixed = {"gain": 1.0, "shift": 0.0}.get(path.rsplit(".", 1)[-1])
            result[path] = spread(k, shape, fan_in**-0.5) if fixed is None else np.full(shape, fixed, np.float32)
        return result


def lenet():
    weights = {}
    for k, (units, channels, places) in enumerate([(6, 1, 28 * 28), (16, 6, 10 * 10)]):
        weights |= {f"conv2d[{k}].W": ((units, channels, 5, 5), places), f"conv2d[{k}].with_bias.b": ((units,), 0)}
    for k, (fan_in, units) in enumerate([(400, 120), (120, 84), (84, CLASSES)]):
        weights |= {f"dense[{k}].W": ((units, fan_in), 1), f"dense[{k}].b": ((units,), 0)}

    def features(k, pad):
        return chain(layer(conv, f"conv2d[{k}].W", pad=pad), layer(with_bias, f"conv2d[{k}].with_bias.b"), layer(relu), layer(max_pool))

    first, second, third = (layer(dense, f"dense[{k}].W", f"dense[{k}].b") for k in range(3))
    return Net((1, 28, 28), weights, chain(features(0, 2), features(1, 0), layer(flatten), first, layer(relu), second, layer(relu), third), 24)


# The units and the stride of each block of ResNet-20.
BLOCKS = [(16, 1), (16, 1), (16, 1), (32, 2), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1)]


def resnet20():
    weights, channels, side = {}, 3, 32

    def add(path, units):
        weights[f"{path}.conv2d.W"] = (units, channels, 3, 3), side * side
        weights[f"{path}.normalised.gain"] = weights[f"{path}.normalised.shift"] = (units,), 0

    add("conv_norm", 16)
    channels = 16
    for k, (units, stride) in enumerate(BLOCKS):
        side //= stride
        add(f"block[{k}].conv_norm[0]", units)
        channels = units
        add(f"block[{k}].conv_norm[1]", units)
    weights |= {"dense.W": ((CLASSES, 64), 1), "dense.b": ((CLASSES,), 0)}
    blocks = (block(f"block[{k}]", stride) for k, (_, stride) in enumerate(BLOCKS))
    return Net((3, 32, 32), weights,
               chain(conv_norm("conv_norm"), layer(relu), *blocks, layer(global_avg_pool), layer(dense, "dense.W", "dense.b")), 8)


NETS = {"lenet": lenet(), "resnet20": resnet20()}
