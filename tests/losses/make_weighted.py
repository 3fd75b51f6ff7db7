"""Writes weighted/NN.dlg: 16 trainings with `weights` of samples, with the loss, gradients and parameters after three updates
that PyTorch gives, in f64.

    python3 tests/losses/make_weighted.py        needs torch

Half of them weigh samples by their classes, which is PyTorch's `cross_entropy(weight=...)`, the others by a column of the data.
"""

import pathlib

import torch
import torch.nn.functional as F

from make_losses import expectation, text

torch.set_default_dtype(torch.float64)

FOLDER = pathlib.Path(__file__).parent / "weighted"
CASES = 16
RATE = 0.5
DECAY = 0.01


def by_class(y, t, w, c):
    return F.cross_entropy(y, t, weight=c)


def by_column(y, t, w, c):
    return (w * F.cross_entropy(y, t, reduction="none")).sum() / w.sum()


def by_both(y, t, w, c):
    each = F.cross_entropy(y, t, weight=c, reduction="none")
    return (w * each).sum() / w.sum()


# The objective and the weights as a program has them, and PyTorch's function.
KINDS = [
    ("cross_entropy(net(d.x), d.t)", "class_weight(d.t, C)", by_class),
    ("cross_entropy(net(d.x), d.t)", "d.w", by_column),
    ("cross_entropy(net(d.x), d.t)", "class_weight(d.t, C)", by_class),
    ("cross_entropy(net(d.x), d.t, weights = C)", "d.w", by_both),
]


def program(number):
    generator = torch.Generator().manual_seed(100 + number)
    objective, weights, loss_of = KINDS[number % len(KINDS)]
    rows, inputs, classes = 3 + number, 1 + number % 3, 2 + number % 4
    x = torch.randn((rows, inputs), generator=generator)
    t = torch.randint(classes, (rows,), generator=generator)
    w = torch.rand(rows, generator=generator) * (torch.arange(rows) % 3 != 1)
    c = torch.rand(classes, generator=generator) * 4 + 0.25
    W = torch.randn((classes, inputs), generator=generator)
    uses_w = "d.w" in weights
    lines = ["dlg 1", f"# Made by make_weighted.py with PyTorch {torch.__version__.split('+')[0]}.", "use f64", "data d {",
             f"  x = {text(x.tolist())}", f"  t = {text(t.tolist())}"]  # fmt: skip
    lines += [f"  w = {text(w.tolist())}"] if uses_w else []
    lines += ["}", f"model net(x: [{inputs}]) -> [{classes}] {{", f"  param W: [{classes}, {inputs}] = {text(W.tolist())}",
              "  return W @ x", "}", "train {",
              f"  minimize = {objective.replace('C', text(c.tolist()))} + {DECAY} * l2(params(net))",
              f"  weights = {weights.replace('C', text(c.tolist()))}", f"  optimizer = sgd(lr = {RATE})",
              "  stop = [3 steps]", "}", 'check "samples weigh as PyTorch has it" {']  # fmt: skip
    W.requires_grad_(True)
    optimizer = torch.optim.SGD([W], lr=RATE)
    for step in range(3):
        optimizer.zero_grad()
        loss = loss_of(x @ W.T, t, w, c) + DECAY * (W**2).sum()
        loss.backward()
        if step == 0:
            lines.append(expectation("loss", loss.item()))
            lines += elements("grad(net.W)", W.grad)
        optimizer.step()
    lines += elements("after(3 steps, net.W)", W.detach())
    return "\n".join(lines) + "\n}\n"


def elements(path, matrix):
    places = torch.cartesian_prod(*[torch.arange(n) for n in matrix.shape]).reshape(-1, 2).tolist()
    return [expectation(f"{path}[{row}, {column}]", matrix[row, column].item()) for row, column in places]


def main():
    FOLDER.mkdir(exist_ok=True)
    for number in range(CASES):
        (FOLDER / f"{number:02}.dlg").write_text(program(number))


if __name__ == "__main__":
    main()
