"""Owns the workloads that dlg is compared on: shapes, data, first weights, and their training in f64.

The numbers are made by counting, so that everybody trains on the same ones: element i of stream s is the high 24 bits
of splitmix64(s 2^32 + i), over 2^24. `program` writes the same training as a program of dlg.
"""

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from images import CLASSES, NETS

BATCHES = 8
# Of the rules that are no adam: how much of a step the next one keeps.
MOMENTUM = {"sgd": 0.0, "momentum": 0.9}
CHECK_STEPS = 104


@dataclass(frozen=True)
class Workload:
    name: str
    sizes: tuple  # () for the ravine of W0 and the nets of images
    batch: int
    rule: str
    lr: float
    activation: str = "relu"
    loss: str = "cross_entropy"
    net: str = ""  # of NETS, for images

    @property
    def flops(self):
        """Of the contractions of one step: forward, gradient of weights, gradient of inputs but the first."""
        if self.net:
            return 2 * self.batch * NETS[self.net].multiply_adds
        pairs = list(zip(self.sizes, self.sizes[1:]))
        return sum(2 * self.batch * a * b * (2 if i == 0 else 3) for i, (a, b) in enumerate(pairs))

    @property
    def check_steps(self):
        """After so many the loss is compared: minutes of f64 say no more than seconds."""
        if self.net:
            return NETS[self.net].check_steps
        return CHECK_STEPS if self.flops < 1e10 else BATCHES


CLASSIFIER = (784, 256, 10)
SQUARE = (2048,) * 4
WORKLOADS = {w.name: w for w in [
    Workload("W0", (), 1, "adam", 0.2),
    Workload("W1a", (2, 2, 2), 1, "sgd", 0.1, "tanh", "mse"),
    Workload("W1b", (2, 2, 2), 4, "sgd", 0.1, "tanh", "mse"),
    Workload("W2a", CLASSIFIER, 32, "adam", 1e-3),
    Workload("W2b", CLASSIFIER, 128, "adam", 1e-3),
    Workload("W2c", CLASSIFIER, 256, "adam", 1e-3),
    Workload("W2s", CLASSIFIER, 32, "sgd", 0.1),
    Workload("W3", (784, 10), 128, "sgd", 0.1),
    Workload("W4a", SQUARE, 128, "adam", 1e-3, "relu", "mse"),
    Workload("W4s", SQUARE, 128, "sgd", 0.1, "relu", "mse"),
]}
IMAGES = {w.name: w for w in [
    Workload("W5", (), 64, "adam", 1e-3, net="lenet"),
    Workload("W5x1", (), 1, "adam", 1e-3, net="lenet"),
    Workload("W5x8", (), 8, "adam", 1e-3, net="lenet"),
    Workload("W5x256", (), 256, "adam", 1e-3, net="lenet"),
    Workload("W6", (), 64, "momentum", 0.01, net="resnet20"),
]}
# Only against another commit (before.py): where the functions take a good part of the step.
MATHS = {w.name: w for w in [
    Workload("M1", (64, 64, 1), 32, "sgd", 0.1, "tanh", "mse"),
    Workload("M2", (64, 256, 64), 32, "adam", 1e-3, "gelu_tanh", "mse"),
]}
# Whose states take most of the memory of a process.
LARGE = {w.name: w for w in [
    WORKLOADS["W4a"],
    Workload("W4l", (4096,) * 4, 128, "adam", 1e-3, "relu", "mse"),
]}
# Where a shape makes a step slow for its work: rows of a power of two, few columns, rows that leave the caches.
CLIFFS = {w.name: w for w in [
    Workload("1024-1-1024", (1024, 1, 1024), 64, "sgd", 0.1, "relu", "mse"),
    Workload("2048-1-2048", (2048, 1, 2048), 64, "sgd", 0.1, "relu", "mse"),
    Workload("784-17", (784, 17), 128, "sgd", 0.1),
    Workload("784-20", (784, 20), 128, "sgd", 0.1),
    Workload("256^3x4096", (256,) * 4, 4096, "sgd", 0.1, "relu", "mse"),
    Workload("1024^3x1024", (1024,) * 4, 1024, "sgd", 0.1, "relu", "mse"),
    Workload("2048^3x1024", SQUARE, 1024, "sgd", 0.1, "relu", "mse"),
]}


def layers(count, kind):
    """For the time of compilation: so many layers of 64 units, or each of a width of its own (65, 66, ...)."""
    widths = (64,) * count if kind == "equal" else tuple(64 + i for i in range(1, count)) + (64,)
    return Workload(f"{count} {kind} layers", (64, *widths), 32, "adam", 1e-3, "tanh", "mse")


LAYER_KINDS = ("equal", "distinct")
LAYERS = {w.name: w for w in (layers(64, kind) for kind in LAYER_KINDS)}
ALL = {**WORKLOADS, **IMAGES, **MATHS, **LARGE, **CLIFFS, **LAYERS}


def unit(stream, shape):
    i = np.arange(int(np.prod(shape)), dtype=np.uint64) + np.uint64((stream << 32) + 0)
    z = (i + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    z ^= z >> np.uint64(31)
    return ((z >> np.uint64(40)) / 2.0**24).reshape(shape)


def spread(stream, shape, width):
    return ((2 * unit(stream, shape) - 1) * width).astype(np.float32)


def parameters(w):
    """Weights [out, in] and biases in the order of the layers; of a net by their paths in its program."""
    if w.net:
        return NETS[w.net].parameters(spread)
    if not w.sizes:
        return {"w": spread(0, (2,), 4.0)}
    result = {}
    for k, (fan_in, fan_out) in enumerate(zip(w.sizes, w.sizes[1:]), 1):
        result[f"W{k}"] = spread(2 * k, (fan_out, fan_in), fan_in**-0.5)
        result[f"b{k}"] = spread(2 * k + 1, (fan_out,), fan_in**-0.5)
    return result


def data(w):
    """All rows of the BATCHES batches: x and t."""
    rows = BATCHES * w.batch
    if w.net:
        return spread(1000, (rows, *NETS[w.net].image), 1), (unit(1001, (rows,)) * CLASSES).astype(np.int32)
    if not w.sizes:
        return spread(1000, (rows, 2), 0.5), np.tile(np.float32([1, 25]), (rows, 1))
    x = spread(1000, (rows, w.sizes[0]), 1)
    if w.loss == "cross_entropy":
        return x, (unit(1001, (rows,)) * w.sizes[-1]).astype(np.int32)
    return x, spread(1001, (rows, w.sizes[-1]), 1)


def export(w, folder):
    """x.npy, t.npy and weights.safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip("xt", data(w)):
        np.save(folder / f"{name}.npy", array)
    header, blobs, at = {}, [], 0
    for name, array in parameters(w).items():
        blob = array.tobytes()
        header[f"param.{name}"] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / "weights.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def program(w):
    """The training as a program of dlg, with its weights under the names of `parameters`."""
    if not w.sizes:
        text = (Path(__file__).parent / "workloads" / f"{w.net or w.name}.dlg").read_text()
        return text.replace("batch     = 64", f"batch     = {w.batch}")
    layers = range(1, len(w.sizes))
    name = lambda k: "inp" if k == 0 else "out" if k == len(w.sizes) - 1 else f"hidden{k}"
    lines = ["dlg 1", f"# {'-'.join(map(str, w.sizes))}, {w.loss}, {w.rule}, batch {w.batch}"]
    lines += [f"dim {name(k)} = {size}" for k, size in enumerate(w.sizes)]
    lines += ["data batches {", '  x = npy("x.npy")', '  t = npy("t.npy")', "}", "model net(x: [inp]) -> [out] {"]
    for k in layers:
        lines += [f"  param W{k}: [{name(k)}, {name(k - 1)}] = he_uniform()", f"  param b{k}: [{name(k)}] = 0"]
    for k in layers:
        affine = f"W{k} @ {'x' if k == 1 else f'h{k - 1}'} + b{k}"
        lines.append(f"  return {affine}" if k == layers[-1] else f"  h{k} = {w.activation}({affine})")
    return "\n".join([*lines, "}", "train {", f"  minimize  = {w.loss}(net(batches.x), batches.t)", f"  optimizer = {w.rule}(lr = {w.lr:g})",
                      f"  batch     = {w.batch}", "  shuffle   = none", f"  stop      = [{w.check_steps} steps]", "}", ""])


def loss_of(w, y, t):
    """The mean loss of the rows, and its derivative by what the net gives."""
    if w.loss == "mse":
        return ((y - t) ** 2).mean(), 2 * (y - t) / y.size
    shifted = y - y.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    hot = np.eye(y.shape[1])[t]
    return -(logs * hot).sum() / len(y), (np.exp(logs) - hot) / len(y)


def loss_and_pullback(w, p, x, t):
    """In the precision of p: the mean loss of the rows, and a function that gives the derivative by each parameter."""
    if w.net:
        y, pullback = NETS[w.net].forward(p, x)
        loss, d = loss_of(w, y, t)
        return loss, lambda: pullback(d)[1]
    if not w.sizes:
        d = p["w"] - x
        return (0.5 * d * d * t).sum(axis=1).mean(), lambda: {"w": (d * t).mean(axis=0)}
    layers = len(w.sizes) - 1
    h = [x]
    for k in range(1, layers + 1):
        z = h[-1] @ p[f"W{k}"].T + p[f"b{k}"]
        h.append(z if k == layers else np.tanh(z) if w.activation == "tanh" else np.maximum(z, 0))
    loss, last = loss_of(w, h[-1], t)

    def gradient():
        d, result = last, {}
        for k in range(layers, 0, -1):
            result[f"W{k}"], result[f"b{k}"] = d.T @ h[k - 1], d.sum(axis=0)
            if k > 1:
                d = d @ p[f"W{k}"]
                d = d * (1 - h[k - 1] ** 2) if w.activation == "tanh" else d * (h[k - 1] > 0)
        return result

    return loss, gradient


def batches(w):
    """What the steps see in turn: x and t."""
    x, t = data(w)
    return [(x[at:at + w.batch], t[at:at + w.batch]) for at in range(0, len(x), w.batch)]


def mean_loss(w, p):
    """Over all rows, in f64, batch after batch: their statistics are part of some nets."""
    p = {name: np.asarray(value, np.float64) for name, value in p.items()}
    return float(np.mean([loss_and_pullback(w, p, x.astype(np.float64), t)[0] for x, t in batches(w)]))


def loss_in_f64(w):
    """The mean loss over all rows after `check_steps` steps."""
    p = {name: value.astype(np.float64) for name, value in parameters(w).items()}
    s = {name: np.zeros_like(value) for name, value in p.items()}
    r = {name: np.zeros_like(value) for name, value in p.items()}
    of_step = [(x.astype(np.float64), t) for x, t in batches(w)]
    for step in range(1, w.check_steps + 1):
        g = loss_and_pullback(w, p, *of_step[(step - 1) % BATCHES])[1]()
        for name in p:
            if w.rule in MOMENTUM:
                s[name] = MOMENTUM[w.rule] * s[name] + w.lr * g[name]
                p[name] -= s[name]
                continue
            s[name] = 0.9 * s[name] + 0.1 * g[name]
            r[name] = 0.999 * r[name] + 0.001 * g[name] ** 2
            p[name] -= w.lr * (s[name] / (1 - 0.9**step)) / (np.sqrt(r[name] / (1 - 0.999**step)) + 1e-8)
    return mean_loss(w, p)
