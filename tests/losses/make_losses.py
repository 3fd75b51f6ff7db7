"""Writes NAME.dlg for each loss of std: 16 cases with the value and the gradient that PyTorch gives, in f64.

    python3 tests/losses/make_losses.py        needs torch

A case is a model of its own, so that its gradient is alone; `dlg check` of the file must be content. Among the cases are
ties, differences that are exactly the limit of huber, shares of 0 and 1, and logits as large as 700.
"""

import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)

HERE = pathlib.Path(__file__).parent
CASES = 16
TOLERANCE = 2e-14  # of the value and of each derivative, relative to the larger of it and 1


def plain(shape, generator, number):
    """Small; in the last cases far apart; every third time on a grid of quarters, so that there are ties."""
    scale = (1, 3, 30, 700)[number * 4 // CASES]
    drawn = torch.randn(shape, generator=generator) * scale
    return torch.round(drawn * 4) / 4 if number % 3 == 1 else drawn


def near(shape, generator, number):
    """Where PyTorch's derivative of (1 - p)^gamma at p = 1 is NaN."""
    return plain(shape, generator, min(number, 6))


def log_shares(shape, generator, number):
    return torch.log_softmax(plain(shape, generator, min(number, 8)), -1)


def log_variances(shape, generator, number):
    return torch.randn(shape, generator=generator) * 2


def probabilities(shape, generator, number):
    """Rows that sum to 1; every third case is one-hot."""
    t = torch.softmax(torch.randn(shape, generator=generator), -1)
    return F.one_hot(t.argmax(-1), shape[-1]).to(t) if number % 3 == 0 else t


def classes(shape, generator, number):
    return torch.randint(shape[-1], shape[:-1], generator=generator)


def signs(shape, generator, number):
    return torch.randint(2, shape, generator=generator) * 2.0 - 1


def bits(shape, generator, number):
    return torch.randint(2, shape, generator=generator) * 1.0


def class_weights(shape, generator, number):
    """One for each class; every fourth time some are 0."""
    w = torch.rand(shape[-1], generator=generator) * 5 + 0.1
    return torch.where(torch.arange(shape[-1]) % 2 == 1, 0, w) if number % 4 == 3 else w


def masks(shape, generator, number):
    """One for each place beside the last axis; every fifth time no place counts."""
    mask = torch.randint(2, shape[:-1], generator=generator) * 1.0
    return mask * 0 if number % 5 == 4 else mask


def element_masks(shape, generator, number):
    return torch.randint(2, shape, generator=generator) * 1.0


def rows(y):
    return y.reshape(-1, y.shape[-1])


def weighed(y, t, w, **more):
    """PyTorch's sum, over the places instead of over their weights."""
    return F.cross_entropy(rows(y), t.reshape(-1), weight=w, reduction="sum", **more) / max(1, t.numel())


def weighed_shares(y, t, w, **more):
    return F.cross_entropy(rows(y), rows(t), weight=w, **more)


def masked(each, m):
    """The mean over the places that count, of values of PyTorch's for each of them."""
    kept = each.reshape(-1)[m.reshape(-1) == 1]
    return kept.mean() if len(kept) else each.sum() * 0


def masked_entropy(y, t, m, **more):
    return masked(F.cross_entropy(rows(y), t.reshape(-1), reduction="none", **more), m)


def focal(y, t, gamma):
    """Lin et al. 2017, as their formula stands."""
    p = torch.log_softmax(y, -1)
    t = F.one_hot(t, y.shape[-1]).to(y) if t.dtype == torch.int64 else t
    return -torch.where(t == 0, 0, t * (-torch.expm1(p)) ** gamma * p).sum(-1).mean()


def weighed_focal(y, t, w, gamma):
    each = -torch.log_softmax(y, -1).gather(-1, t.unsqueeze(-1)).squeeze(-1)
    return (w[t] * (-torch.expm1(-each)) ** gamma * each).mean()


def cosine_distance(y, t):
    return 1 - F.cosine_similarity(y, t, dim=-1, eps=1e-8).mean()


# The call as a program has it, what y and t are, PyTorch's function, and what else it takes, W or M of the call.
LOSSES = {
    "mae": [("mae(y, T)", plain, plain, F.l1_loss)],
    "mse": [("mse(y, T)", plain, plain, F.mse_loss)],
    "huber": [
        ("huber(y, T)", plain, plain, F.huber_loss),
        ("huber(y, T, delta = 0.25)", plain, plain, lambda y, t: F.huber_loss(y, t, delta=0.25)),
    ],
    "bce_logits": [("bce_logits(y, T)", plain, bits, F.binary_cross_entropy_with_logits)],
    "cross_entropy": [
        ("cross_entropy(y, T)", plain, classes, lambda y, t: F.cross_entropy(rows(y), t.reshape(-1))),
        ("cross_entropy(y, T)", plain, probabilities, lambda y, t: F.cross_entropy(rows(y), rows(t))),
    ],
    "smoothing": [
        ("cross_entropy(y, T, smoothing = 0.1)", plain, classes,
         lambda y, t: F.cross_entropy(rows(y), t.reshape(-1), label_smoothing=0.1)),
        ("cross_entropy(y, T, smoothing = 0.3)", plain, probabilities,
         lambda y, t: F.cross_entropy(rows(y), rows(t), label_smoothing=0.3)),
    ],
    "nll": [("nll(y, T)", log_shares, classes, lambda y, t: F.nll_loss(rows(y), t.reshape(-1)))],
    "focal": [
        ("focal(y, T)", plain, classes, lambda y, t: focal(y, t, 2)),
        ("focal(y, T, gamma = 0.5)", near, probabilities, lambda y, t: focal(y, t, 0.5)),
    ],
    "hinge": [
        ("hinge(y, T)", plain, signs, lambda y, t: torch.relu(1 - t * y).mean()),
        ("hinge(y, T)", plain, classes, lambda y, t: F.multi_margin_loss(rows(y), t.reshape(-1))),
    ],
    "kl": [("kl(y, T)", log_shares, probabilities,
            lambda y, t: F.kl_div(rows(y), rows(t), reduction="batchmean"))],
    "class_weights": [
        ("cross_entropy(y, T, weights = W)", plain, classes, weighed, class_weights),
        ("cross_entropy(y, T, weights = W)", plain, probabilities, weighed_shares, class_weights),
        ("nll(y, T, weights = W)", log_shares, classes,
         lambda y, t, w: F.nll_loss(rows(y), t.reshape(-1), weight=w, reduction="sum") / max(1, t.numel()),
         class_weights),
        ("cross_entropy(y, T, weights = W, smoothing = 0.2)", plain, classes,
         lambda y, t, w: weighed(y, t, w, label_smoothing=0.2), class_weights),
        ("focal(y, T, weights = W)", plain, classes, lambda y, t, w: weighed_focal(y, t, w, 2), class_weights),
        ("cross_entropy(y, T, weights = W, smoothing = 0.2)", plain, probabilities,
         lambda y, t, w: weighed_shares(y, t, w, label_smoothing=0.2), class_weights),
    ],
    "masks": [
        ("cross_entropy(y, T, mask = M)", plain, classes, masked_entropy, masks),
        ("cross_entropy(y, T, mask = M)", plain, probabilities,
         lambda y, t, m: masked(F.cross_entropy(rows(y), rows(t), reduction="none"), m), masks),
        ("nll(y, T, mask = M)", log_shares, classes,
         lambda y, t, m: masked(F.nll_loss(rows(y), t.reshape(-1), reduction="none"), m), masks),
        ("cross_entropy(y, T, mask = M, smoothing = 0.2)", plain, classes,
         lambda y, t, m: masked_entropy(y, t, m, label_smoothing=0.2), masks),
        ("masked_mean((y - T)^2, M)", plain, plain, lambda y, t, m: masked((y - t) ** 2, m), element_masks),
    ],
    "cosine_distance": [("cosine_distance(y, T)", plain, plain, cosine_distance)],
    "gaussian_kl": [("gaussian_kl(y, T)", plain, log_variances,
                     lambda y, t: torch.distributions.kl_divergence(
                         torch.distributions.Normal(y, torch.exp(t / 2)), torch.distributions.Normal(0.0, 1.0)).sum())],
}  # fmt: skip
SHAPES = [(3,), (1,), (2, 3), (5,)]
MASKED_SHAPES = [(4, 3), (1, 2), (2, 3), (5, 2)]
PLACES = {class_weights: "W", masks: "M", element_masks: "M"}


def text(value):
    """A number or nested lists of such, as a program has them."""
    if isinstance(value, list):
        return "[" + ", ".join(map(text, value)) + "]"
    return repr(value)


def expectation(path, value):
    return f"  expect {path} ~ {value!r} +- {TOLERANCE * max(1.0, abs(value)):.3g}"


def case(number, form, generator):
    """The model of a case and what is expected of it."""
    call, make_y, make_t, loss, *others = form
    shape = SHAPES[number % len(SHAPES)]
    if shape == (1,) and make_t in (classes, probabilities):
        shape = (2,)
    if masks in others:
        shape = MASKED_SHAPES[number % len(MASKED_SHAPES)]
    y, t = make_y(shape, generator, number), make_t(shape, generator, number)
    extras = [make(shape, generator, number) for make in others]
    for make, extra in zip(others, extras):
        call = call.replace(PLACES[make], text(extra.tolist()))
    y.requires_grad_(True)
    value = loss(y, t, *extras)
    value.backward()
    axes = ", ".join(map(str, shape))
    model = [f"model c{number}() -> [] {{", f"  param y: [{axes}] = {text(y.tolist())}",
             f"  v = {call.replace('T', text(t.tolist()))}", "  return v", "}"]
    expected = [expectation(f"c{number}.v", value.item())]
    for place in torch.cartesian_prod(*[torch.arange(n) for n in shape]).reshape(-1, len(shape)).tolist():
        expected.append(expectation(f"grad(c{number}.y)[{', '.join(map(str, place))}]", y.grad[tuple(place)].item()))
    return model, expected


def program(name, forms):
    generator = torch.Generator().manual_seed(len(name))
    lines = ["dlg 1", f"# Made by make_losses.py with PyTorch {torch.__version__.split('+')[0]}.", "use f64"]
    expected = []
    for number in range(CASES):
        model, expectations = case(number, forms[number % len(forms)], generator)
        lines += model
        expected += expectations
    total = " + ".join(f"c{number}()" for number in range(CASES))
    lines += ["train {", f"  minimize = {total}", "  optimizer = sgd(lr = 1)", "  stop = [1 steps]", "}"]
    lines += [f'check "{name}, as PyTorch has it" {{', *expected, "}"]
    return "\n".join(lines) + "\n"


def main():
    for name, forms in LOSSES.items():
        (HERE / f"{name}.dlg").write_text(program(name, forms))


if __name__ == "__main__":
    main()
