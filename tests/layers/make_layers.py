"""Writes batch_norm.dlg and batch_norm_images.dlg: nets with batch normalisation as PyTorch trains them, in f64.

    python3 tests/layers/make_layers.py        needs torch

Gradients before the first step, parameters and running statistics after the third one, and in the last line the loss of the
evaluation, in which the running statistics stand for those of the batch.
"""

import pathlib

import torch

torch.set_default_dtype(torch.float64)

HERE = pathlib.Path(__file__).parent
INPUTS, HIDDEN, ROWS, BATCH, STEPS, RATE = 3, 4, 8, 4, 3, 0.1
TOLERANCE = 1e-13


def text(value):
    """A number or nested lists of such, as a program has them."""
    return "[" + ", ".join(map(text, value)) + "]" if isinstance(value, list) else repr(value)


def expectations(path, tensor, form="{}"):
    """A line for each element."""
    for place in torch.cartesian_prod(*[torch.arange(n) for n in tensor.shape]).reshape(-1, tensor.dim()).tolist():
        value = tensor[tuple(place)].item()
        yield f"  expect {form.format(path)}[{', '.join(map(str, place))}] ~ {value!r} +- {TOLERANCE * max(1, abs(value)):.3g}"


class Net(torch.nn.Module):
    """Features of a matrix product."""

    size, program = f"[{INPUTS}]", "v @ tanh(batch_norm(W @ x))"

    def __init__(self):
        super().__init__()
        self.W = torch.nn.Parameter(torch.randn(HIDDEN, INPUTS))
        self.norm = torch.nn.BatchNorm1d(HIDDEN)
        self.v = torch.nn.Parameter(torch.randn(HIDDEN))

    def forward(self, x):
        return torch.tanh(self.norm(x @ self.W.T)) @ self.v


class ImageNet(torch.nn.Module):
    """Channels of weighed images."""

    size, program = "[chan: 2, row: 2, col: 3]", "sum(v * tanh(batch_norm(W * x)))"

    def __init__(self):
        super().__init__()
        self.W = torch.nn.Parameter(torch.randn(2, 2, 3))
        self.norm = torch.nn.BatchNorm2d(2)
        self.v = torch.nn.Parameter(torch.randn(2, 2, 3))

    def forward(self, x):
        return (torch.tanh(self.norm(x * self.W)) * self.v).sum((1, 2, 3))


def write(name, net, x, t):
    """The program and what is expected of it."""
    names = {"net.W": net.W, "net.batch_norm.gain": net.norm.weight, "net.batch_norm.shift": net.norm.bias, "net.v": net.v}
    params = "".join(f"  param {n}: {list(p.shape)} = {text(p.tolist())}\n" for n, p in (("W", net.W), ("v", net.v)))
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE)
    expected = []
    for step in range(STEPS):
        rows = slice(step * BATCH % ROWS, step * BATCH % ROWS + BATCH)
        optimizer.zero_grad()
        loss = ((net(x[rows]) - t[rows]) ** 2).mean()
        loss.backward()
        if step == 0:
            expected.append(f"  expect loss ~ {loss.item()!r} +- {TOLERANCE}")
            for path, tensor in names.items():
                expected += expectations(path, tensor.grad, "grad({})")
        optimizer.step()
    names |= {"net.batch_norm.average": net.norm.running_mean, "net.batch_norm.variance": net.norm.running_var}
    for path, tensor in names.items():
        expected += expectations(path, tensor.detach(), f"after({STEPS} steps, {{}})")
    net.eval()
    evaluation = ((net(x) - t) ** 2).mean().item()
    program = f"""dlg 1
# Made by make_layers.py with PyTorch {torch.__version__.split("+")[0]}.
use f64
data d {{
  x = {text(x.tolist())}
  t = {text(t.tolist())}
}}
model net(x: {net.size}) -> [] {{
{params}  return {net.program}
}}
train {{
  minimize = mse(net(d.x), d.t)
  optimizer = sgd(lr = {RATE})
  batch = {BATCH}
  shuffle = none
  stop = [{STEPS} steps]
}}
check "as PyTorch has it" {{
"""
    (HERE / name).write_text(
        program + "\n".join(expected) + f"\n}}\n# evaluation after {STEPS} steps: loss {evaluation!r}\n")


def main():
    torch.manual_seed(3)
    write("batch_norm.dlg", Net(), torch.randn(ROWS, INPUTS) * 2 + 1, torch.randn(ROWS))
    write("batch_norm_images.dlg", ImageNet(), torch.randn(ROWS, 2, 2, 3) * 2 + 1, torch.randn(ROWS))


if __name__ == "__main__":
    main()
