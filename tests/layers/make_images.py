"""Writes images/*.dlg: layers of images and series with the values and gradients that PyTorch gives, in f64.

    python3 tests/layers/make_images.py        needs torch

A file holds some layers, each a model of its own on two samples. Its weights are those that dlg draws. Expected are the values of
the first sample, the gradients by the parameters and, as that of a shift of it, by the input, and the loss after two steps of training.
"""

import math
import pathlib

import torch
from torch.nn import functional as F

import initial_values

torch.set_default_dtype(torch.float64)

HERE = pathlib.Path(__file__).parent / "images"
ROWS, STEPS, RATE, TOLERANCE = 2, 2, 0.1, 1e-12


def text(value):
    """A number or nested lists of such, as a program has them."""
    return "[" + ", ".join(map(text, value)) + "]" if isinstance(value, list) else repr(round(value, 3))


def expectations(path, tensor):
    """A line for each element."""
    for place in torch.cartesian_prod(*[torch.arange(n) for n in tensor.shape]).reshape(-1, tensor.dim()).tolist():
        value = tensor[tuple(place)].item()
        at = ", ".join(map(str, place))
        yield f"  expect {path}[{at}] ~ {value!r} +- {TOLERANCE * max(1, abs(value)):.3g}"


# ---- parameters as the layers of the library draw them


def glorot(path, *shape):
    rest = math.prod(shape[2:])
    values = initial_values.uniform(path, math.prod(shape), math.sqrt(6 / (shape[1] * rest + shape[0] * rest)))
    return torch.tensor(values).reshape(shape)


def depthwise(path, *shape):
    return torch.tensor(initial_values.normal(path, math.prod(shape), 1 / math.sqrt(math.prod(shape[1:])))).reshape(shape)


def filled(number):
    return lambda path, *shape: torch.full(shape, float(number))


class Case:
    """A layer: its text, the shape of a sample, parameters {path: (how, shape)}, and what it computes of x and them."""

    def __init__(self, name, layer, shape, parameters, compute):
        self.name, self.layer, self.shape, self.compute = name, layer, shape, compute
        self.state = {
            path: make(f"{name}.{path}", *size).requires_grad_() for path, (make, size) in parameters.items()
        }
        # In PyTorch's random numbers, rounded, so that the text is short.
        self.x = (torch.randn(ROWS, *shape) * 2).round(decimals=3)
        self.state["shift"] = torch.randn(*shape).round(decimals=3).requires_grad_()
        self.start = text(self.state["shift"].tolist())
        self.t = torch.randn(self.value().shape).round(decimals=3)

    def value(self):
        return self.compute(self.x + self.state["shift"], **{path.split(".")[-2] + "_" + path.split(".")[-1] if path.count(".") > 1 else path.split(".")[-1]: p for path, p in self.state.items() if path != "shift"})

    def loss(self):
        return ((self.value() - self.t) ** 2).mean()

    def model(self):
        size = ", ".join(map(str, self.shape))
        return f"""model {self.name}(x: [{size}]) {{
  param shift: [{size}] = {self.start}
  y = x + shift |> {self.layer}
  return y
}}
"""


def write(name, title, cases):
    """The program of some cases."""
    expected = []
    for case in cases:
        expected += expectations(f"{case.name}.y", case.value()[0].detach())
    total = sum(case.loss() for case in cases)
    total.backward()
    expected.append(f"  expect loss ~ {total.item()!r} +- {TOLERANCE * max(1, total.item()):.3g}")
    parameters = {f"{case.name}.{path}": p for case in cases for path, p in case.state.items()}
    for path, parameter in parameters.items():
        expected += expectations(f"grad({path})", parameter.grad)
    optimizer = torch.optim.SGD(parameters.values(), lr=RATE)
    for _ in range(STEPS):
        optimizer.zero_grad()
        sum(case.loss() for case in cases).backward()
        optimizer.step()
    after = sum(case.loss() for case in cases).item()
    expected.append(f"  expect after({STEPS} steps, loss) ~ {after!r} +- {TOLERANCE * max(1, after):.3g}")
    fields = "".join(f"  {c.name}_x = {text(c.x.tolist())}\n  {c.name}_t = {text(c.t.tolist())}\n" for c in cases)
    losses = " + ".join(f"mse({c.name}(d.{c.name}_x), d.{c.name}_t)" for c in cases)
    program = f"""dlg 1
# {title}. Made by make_images.py with PyTorch {torch.__version__.split("+")[0]}.
use f64
data d {{
{fields}}}
{"".join(case.model() for case in cases)}train {{
  minimize = {losses}
  optimizer = sgd(lr = {RATE})
  stop = [{STEPS} steps]
}}
check "as PyTorch has it" {{
"""
    (HERE / f"{name}.dlg").write_text(program + "\n".join(expected) + "\n}\n")


# ---- convolutions


def sides(n, kernel, stride, dilation):
    """What `pad = same` adds in front and behind."""
    all_of_it = max((math.ceil(n / stride) - 1) * stride + dilation * (kernel - 1) + 1 - n, 0)
    return all_of_it // 2, all_of_it - all_of_it // 2


def along(setting, axis):
    """What a number or a list says of one axis."""
    return setting[axis] if isinstance(setting, list) else setting


def padded(x, pad, kernel, stride, dilation):
    """x with the zeros around it that stand for what lies outside."""
    sizes = []
    for axis in range(len(kernel) - 1, -1, -1):
        n, around = x.shape[2 + axis], along(pad, axis)
        same = sides(n, kernel[axis], along(stride, axis), along(dilation, axis))
        sizes += same if pad == "same" else [0, 0] if pad == "valid" else [around, around]
    return F.pad(x, sizes)


def convolution(name, shape, units, kernel, stride=1, pad="same", dilation=1, groups=1, bias=True):
    kernel = [kernel] * (len(shape) - 1) if isinstance(kernel, int) else kernel
    word = f"conv{len(shape) - 1}d"
    apply = F.conv1d if word == "conv1d" else F.conv2d
    parameters = {f"{word}.W": (glorot, (units, shape[0] // groups, *kernel))}
    if bias:
        parameters[f"{word}.with_bias.b"] = (filled(0), (units,))

    def compute(x, W, with_bias_b=None):
        return apply(padded(x, pad, kernel, stride, dilation), W, with_bias_b, stride, 0, dilation, groups)

    return Case(name, f"{word}({arguments(units, kernel, stride, pad, dilation, groups, bias)})", shape, parameters, compute)


def arguments(units, kernel, stride, pad, dilation, groups, bias, extra=0):
    """What differs from the library's defaults."""
    given = [] if units is None else [f"units = {units}"]
    given.append(f"kernel = {kernel[0] if len(set(kernel)) == 1 else list(kernel)}")
    defaults = {"stride": (stride, 1), "pad": (pad, "same"), "dilation": (dilation, 1), "groups": (groups, 1), "extra": (extra, 0)}
    given += [f"{key} = {value}" for key, (value, default) in defaults.items() if value != default]
    return ", ".join(given + ([] if bias else ["bias = false"]))


def of_each_channel(name, shape, kernel, stride=1, pad="same", dilation=1):
    parameters = {
        "depthwise_conv2d.W": (depthwise, (shape[0], *kernel)),
        "depthwise_conv2d.with_bias.b": (filled(0), (shape[0],)),
    }

    def compute(x, W, with_bias_b):
        x = padded(x, pad, kernel, stride, dilation)
        return F.conv2d(x, W.unsqueeze(1), with_bias_b, stride, 0, dilation, shape[0])

    layer = f"depthwise_conv2d({arguments(None, kernel, stride, pad, dilation, 1, True)})"
    return Case(name, layer, shape, parameters, compute)


def separable(name, shape, units, kernel, stride=1):
    layer = "separable_conv2d"
    parameters = {
        f"{layer}.depthwise_conv2d.W": (depthwise, (shape[0], kernel, kernel)),
        f"{layer}.conv2d.W": (glorot, (units, shape[0], 1, 1)),
        f"{layer}.conv2d.with_bias.b": (filled(0), (units,)),
    }

    def compute(x, depthwise_conv2d_W, conv2d_W, with_bias_b):
        x = padded(x, "same", [kernel, kernel], stride, 1)
        return F.conv2d(F.conv2d(x, depthwise_conv2d_W.unsqueeze(1), None, stride, 0, 1, shape[0]), conv2d_W, with_bias_b)

    return Case(name, f"{layer}({arguments(units, [kernel], stride, 'same', 1, 1, True)})", shape, parameters, compute)


def transposed(name, shape, units, kernel, stride=1, pad="same", dilation=1, groups=1, bias=True, extra=0):
    kernel = [kernel] * 2 if isinstance(kernel, int) else kernel
    parameters = {"conv2d_transpose.W": (glorot, (units, shape[0] // groups, *kernel))}
    if bias:
        parameters["conv2d_transpose.with_bias.b"] = (filled(0), (units,))

    def compute(x, W, with_bias_b=None):
        # PyTorch has the units of a group behind all channels.
        parts = W.reshape(groups, units // groups, shape[0] // groups, *kernel).transpose(1, 2)
        weights = parts.reshape(shape[0], units // groups, *kernel)
        if pad != "same":
            around = 0 if pad == "valid" else pad
            return F.conv_transpose2d(x, weights, with_bias_b, stride, around, extra, groups, dilation)
        y = F.conv_transpose2d(x, weights, None, stride, 0, 0, groups, dilation)
        sizes = []
        for axis in (1, 0):
            n = shape[1 + axis] * along(stride, axis)
            front = sides(n, kernel[axis], along(stride, axis), along(dilation, axis))[0]
            sizes += [-front, n + front - y.shape[2 + axis]]
        y = F.pad(y, sizes)
        return y if with_bias_b is None else y + with_bias_b[:, None, None]

    layer = f"conv2d_transpose({arguments(units, kernel, stride, pad, dilation, groups, bias, extra)})"
    return Case(name, layer, shape, parameters, compute)


def write_convolutions():
    write("conv1d", "Convolutions of series", [
        convolution("plain", (2, 6), 3, 3),
        convolution("strided", (2, 7), 2, 3, stride=2, pad=1),
        convolution("grouped", (4, 7), 2, 2, pad="valid", dilation=2, groups=2),
    ])  # fmt: skip
    write("conv2d", "Convolutions", [
        convolution("plain", (1, 4, 4), 2, 2, pad="valid"),
        convolution("bordered", (2, 4, 3), 2, 3),
        convolution("no_bias", (2, 4, 4), 2, [3, 2], pad=1, bias=False),
    ])  # fmt: skip
    write("conv2d_strides", "Convolutions with strides", [
        convolution("odd", (1, 5, 6), 2, 3, stride=2),
        convolution("even", (2, 6, 4), 1, 3, stride=2, pad=1),
        convolution("wide", (1, 6, 5), 1, 2, stride=3, pad=2, dilation=2),
    ])  # fmt: skip
    write("conv2d_channels", "Convolutions with groups, of each channel, and of both kinds", [
        convolution("grouped", (4, 3, 4), 4, 3, groups=2),
        of_each_channel("each", (2, 5, 4), (3, 3), stride=2),
        separable("separable", (2, 4, 4), 3, 3),
    ])  # fmt: skip


def write_transposed():
    write("transposed", "Transposed convolutions", [
        transposed("plain", (1, 3, 3), 2, 2, pad="valid"),
        transposed("twice", (2, 2, 3), 1, 2, stride=2, pad="valid"),
        transposed("rows_and_columns", (1, 2, 3), 2, [2, 3], pad="valid"),
    ])  # fmt: skip
    write("transposed_strides", "Transposed convolutions with strides", [
        transposed("overlapping", (2, 2, 2), 1, 3, stride=2, pad="valid"),
        transposed("with_gaps", (1, 2, 2), 2, 2, stride=3, pad="valid"),
        transposed("dilated", (1, 2, 3), 1, 3, pad="valid", dilation=2),
    ])  # fmt: skip
    write("transposed_pads", "Transposed convolutions with something left out at the edges", [
        transposed("padded", (1, 3, 2), 2, 3, stride=2, pad=1),
        transposed("extended", (2, 2, 3), 1, 3, stride=2, pad=1, extra=1),
        transposed("no_bias", (1, 3, 2), 1, 3, stride=2, pad=2, dilation=2, extra=1, bias=False),
    ])  # fmt: skip
    write("transposed_same", "Transposed convolutions with a size that is given, and groups", [
        transposed("bordered", (1, 3, 3), 2, 3),
        transposed("strided", (2, 2, 3), 1, 3, stride=2),
        transposed("grouped", (4, 2, 2), 2, 2, pad="valid", groups=2),
    ])  # fmt: skip


def write_pairs():
    write("conv2d_pairs", "Convolutions whose rows and columns have settings of their own", [
        convolution("strided", (1, 4, 5), 2, 3, stride=[2, 1], pad=[0, 1]),
        convolution("dilated", (1, 3, 5), 1, 2, stride=[1, 2], dilation=[1, 2]),
        of_each_channel("each", (2, 4, 3), (3, 2), stride=[1, 2], pad=[1, 0], dilation=[2, 1]),
    ])  # fmt: skip
    write("transposed_pairs", "Transposed convolutions and pools whose rows and columns have settings of their own", [
        transposed("padded", (1, 2, 3), 1, 3, stride=[2, 1], pad=[1, 0], extra=[1, 0]),
        transposed("to_the_edge", (1, 2, 2), 1, [2, 3], stride=[1, 2], dilation=[2, 1]),
        pool("uneven", "max_pool", (1, 4, 5), [2, 3], [1, 2], [0, 1]),
        pool("average", "avg_pool", (1, 4, 3), [3, 1], [2, 1], [1, 0], count_edges=True),
    ])  # fmt: skip


# ---- pools


def pool(name, word, shape, size=2, stride=None, pad="valid", count_edges=False):
    step = stride or size
    kernel = [along(size, 0), along(size, 1)]
    given = [f"size = {size}"] * (size != 2) + [f"stride = {stride}"] * (stride is not None)
    given += [f"pad = {pad}"] * (pad != "valid") + ["count_edges = true"] * count_edges

    def compute(x):
        if word == "max_pool":
            outside = torch.where(padded(torch.ones_like(x), pad, kernel, step, 1) > 0, 0.0, -torch.inf)
            return F.max_pool2d(padded(x, pad, kernel, step, 1) + outside, size, step)
        y = F.avg_pool2d(padded(x, pad, kernel, step, 1), size, step)
        share = F.avg_pool2d(padded(torch.ones_like(x), pad, kernel, step, 1), size, step)
        if pad not in ("same", "valid"):
            y = F.avg_pool2d(x, size, step, pad, count_include_pad=count_edges)
        return y if count_edges or pad not in ("same", "valid") else y / share

    return Case(name, f"{word}({', '.join(given)})", shape, {}, compute)


def write_pools():
    write("max_pool", "Largest elements", [
        pool("plain", "max_pool", (2, 4, 4)),
        pool("overlapping", "max_pool", (1, 5, 5), 3, 2),
        pool("close", "max_pool", (1, 4, 3), 2, 1),
    ])  # fmt: skip
    write("max_pool_pads", "Largest elements at the edges", [
        pool("padded", "max_pool", (1, 3, 4), 3, 1, 1),
        pool("strided", "max_pool", (2, 4, 4), 3, 2, 1),
        pool("to_the_edge", "max_pool", (1, 5, 4), 2, None, "same"),
    ])  # fmt: skip
    write("avg_pool", "Averages", [
        pool("plain", "avg_pool", (2, 4, 4)),
        pool("overlapping", "avg_pool", (1, 5, 5), 3, 2),
        Case("everywhere", "global_avg_pool", (3, 2, 3), {}, lambda x: x.mean((2, 3))),
    ])  # fmt: skip
    write("avg_pool_pads", "Averages at the edges, and places repeated", [
        pool("padded", "avg_pool", (1, 4, 4), 3, 2, 1),
        pool("counted", "avg_pool", (1, 4, 4), 3, 2, 1, count_edges=True),
        pool("to_the_edge", "avg_pool", (1, 5, 4), 2, None, "same"),
        Case("upsampled", "upsample", (2, 2, 2), {}, lambda x: F.interpolate(x, scale_factor=2)),
    ])  # fmt: skip


# ---- norms


def group_norm(name, shape, groups, eps=1e-5):
    parameters = {"group_norm.gain": (filled(1), shape[:1]), "group_norm.shift": (filled(0), shape[:1])}
    given = f"groups = {groups}" + (f", eps = {eps}" if eps != 1e-5 else "")
    return Case(name, f"group_norm({given})", shape, parameters, lambda x, gain, shift: F.group_norm(x, groups, gain, shift, eps))


def write_group_norms():
    write("group_norm", "Groups of channels of images", [
        group_norm("one", (4, 2, 2), 1),
        group_norm("two", (4, 2, 2), 2),
        group_norm("each", (4, 2, 2), 4),
        group_norm("three", (6, 1, 2), 3),
    ])  # fmt: skip
    write("group_norm_shapes", "Groups of channels of images that are no squares, and of more axes", [
        group_norm("flat", (2, 1, 5), 2),
        group_norm("tall", (2, 4, 1), 1),
        group_norm("coarse", (4, 2, 3), 2, eps=0.1),
        group_norm("more_axes", (2, 2, 1, 2), 2),
    ])  # fmt: skip
    write("group_norm_series", "Groups of channels of series and of vectors", [
        group_norm("series", (4, 3), 2),
        group_norm("long_series", (2, 7), 1),
        group_norm("vector", (6,), 2),
        group_norm("whole_vector", (5,), 1),
    ])  # fmt: skip


def main():
    torch.manual_seed(4)
    write_convolutions()
    write_transposed()
    write_pools()
    write_group_norms()
    write_pairs()


if __name__ == "__main__":
    main()
