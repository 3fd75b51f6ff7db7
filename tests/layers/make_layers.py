"""Writes batch_norm.dlg: a net with batch normalisation as PyTorch trains it, in f64.

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
    def __init__(self):
        super().__init__()
        self.W = torch.nn.Parameter(torch.randn(HIDDEN, INPUTS))
        self.norm = torch.nn.BatchNorm1d(HIDDEN)
        self.v = torch.nn.Parameter(torch.randn(HIDDEN))

    def forward(self, x):
        return torch.tanh(self.norm(x @ self.W.T)) @ self.v


def main():
    torch.manual_seed(3)
    net, x, t = Net(), torch.randn(ROWS, INPUTS) * 2 + 1, torch.randn(ROWS)
    names = {"net.W": net.W, "net.batch_norm.gain": net.norm.weight, "net.batch_norm.shift": net.norm.bias, "net.v": net.v}
    start = {"W": text(net.W.tolist()), "v": text(net.v.tolist())}
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
model net(x: [{INPUTS}]) -> [] {{
  param W: [{HIDDEN}, {INPUTS}] = {start["W"]}
  param v: [{HIDDEN}] = {start["v"]}
  return v @ tanh(batch_norm(W @ x))
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
    (HERE / "batch_norm.dlg").write_text(
        program + "\n".join(expected) + f"\n}}\n# evaluation after {STEPS} steps: loss {evaluation!r}\n")


if __name__ == "__main__":
    main()
