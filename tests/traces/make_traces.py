"""Writes traces.csv: what PyTorch, Keras and Optax make of the test's problem, step by step, in f64.

    python3 tests/traces/make_traces.py        needs torch, keras, jax and optax

The problem is that of tests/driver/rules_test.cpp: four rows, two weights and a bias, the mean of squared errors.
Each line is a rule of std with what stands around it, the framework that made the trace, the step, and the parameters after
it. The steps are few: what differs between two rules differs from the first on.
"""

import csv
import os
import pathlib

import jax
import optax
import torch

os.environ["KERAS_BACKEND"] = "torch"
import keras

# PyTorch keeps the product of NAdam's momenta in the default type.
torch.set_default_dtype(torch.float64)
keras.backend.set_floatx("float64")
jax.config.update("jax_enable_x64", True)

X = [[0.0, 0.5], [1.0, -0.5], [-1.0, 0.25], [0.5, 1.0]]
T = [0.1, 0.9, -0.4, 0.7]
START = [0.3, -0.2, 0.1]
STEPS = [1, 2, 3, 10, 100, 1000]
LR = 2e-3

# The optimizer as a program has it, and behind a bar the settings around it.
TORCH = {
    "sgd(lr = 2e-3)": lambda p: torch.optim.SGD(p, lr=LR),
    "sgd(lr = exponential(0.1, factor = 0.99)) | weight_decay = coupled(0.03)":
        lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.03),
    "momentum(lr = 2e-3, like = torch)": lambda p: torch.optim.SGD(p, lr=LR, momentum=0.9),
    "momentum(lr = exponential(0.1, factor = 0.99), like = torch) | weight_decay = coupled(0.03)":
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.03),
    "nesterov(lr = 2e-3, like = torch)": lambda p: torch.optim.SGD(p, lr=LR, momentum=0.9, nesterov=True),
    "adagrad(lr = 2e-3, like = torch)": lambda p: torch.optim.Adagrad(p, lr=LR),
    "adadelta(lr = 2e-3, like = torch)": lambda p: torch.optim.Adadelta(p, lr=LR),
    "rmsprop(lr = 2e-3, like = torch)": lambda p: torch.optim.RMSprop(p, lr=LR),
    "adam(lr = 2e-3, like = torch)": lambda p: torch.optim.Adam(p, lr=LR),
    "adam(lr = 2e-3)": lambda p: torch.optim.Adam(p, lr=LR),
    "adam(lr = 2e-3) | weight_decay = coupled(0.03)": lambda p: torch.optim.Adam(p, lr=LR, weight_decay=0.03),
    "adam(lr = 2e-3) | weight_decay = decoupled(0.03)": lambda p: torch.optim.AdamW(p, lr=LR, weight_decay=0.03),
    "adamw(lr = 2e-3, like = torch)": lambda p: torch.optim.AdamW(p, lr=LR),
    "adamw(lr = 2e-3)": lambda p: torch.optim.AdamW(p, lr=LR),
    "nadam(lr = 2e-3, like = torch)": lambda p: torch.optim.NAdam(p, lr=LR),
    "amsgrad(lr = 2e-3, like = torch)": lambda p: torch.optim.Adam(p, lr=LR, amsgrad=True),
}
KERAS = {
    "momentum(lr = 2e-3, like = keras)": keras.optimizers.SGD(LR, momentum=0.9),
    "nesterov(lr = 2e-3, like = keras)": keras.optimizers.SGD(LR, momentum=0.9, nesterov=True),
    "adagrad(lr = 2e-3, like = keras)": keras.optimizers.Adagrad(LR),
    "adadelta(lr = 2e-3, like = keras)": keras.optimizers.Adadelta(LR),
    "rmsprop(lr = 2e-3, like = keras)": keras.optimizers.RMSprop(LR),
    "adam(lr = 2e-3, like = keras)": keras.optimizers.Adam(LR),
    "adamw(lr = 2e-3, like = keras)": keras.optimizers.AdamW(LR),
    "nadam(lr = 2e-3, like = keras)": keras.optimizers.Nadam(LR),
    "amsgrad(lr = 2e-3, like = keras)": keras.optimizers.Adam(LR, amsgrad=True),
    "lion(lr = 2e-3, like = keras)": keras.optimizers.Lion(LR),
}
OPTAX = {
    "sgd(lr = 2e-3)": optax.sgd(LR),
    "sgd(lr = 0.01) | clip = global_norm(0.2)":
        optax.chain(optax.clip_by_global_norm(0.2), optax.sgd(0.01)),
    "momentum(lr = 2e-3, like = optax)": optax.sgd(LR, momentum=0.9),
    "nesterov(lr = 2e-3, like = optax)": optax.sgd(LR, momentum=0.9, nesterov=True),
    "adagrad(lr = 2e-3, like = optax)": optax.adagrad(LR),
    "adadelta(lr = 2e-3, like = optax)": optax.adadelta(LR),
    "rmsprop(lr = 2e-3, like = optax)": optax.rmsprop(LR),
    "adam(lr = 2e-3, like = optax)": optax.adam(LR),
    "adamw(lr = 2e-3, like = optax)": optax.adamw(LR),
    "nadam(lr = 2e-3, like = optax)": optax.nadam(LR),
    "amsgrad(lr = 2e-3, like = optax)": optax.amsgrad(LR),
    "lion(lr = 2e-3, like = optax)": optax.lion(LR),
    "lamb(lr = 5e-4, like = optax)": optax.lamb(5e-4),
}


def torch_trace(rule, make):
    x, t = torch.tensor(X, dtype=torch.float64), torch.tensor(T, dtype=torch.float64)
    w = torch.tensor(START[:2], dtype=torch.float64, requires_grad=True)
    b = torch.tensor(START[2], dtype=torch.float64, requires_grad=True)
    optimizer = make([w, b])
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.99 if "exponential" in rule else 1.0)
    for step in range(1, max(STEPS) + 1):
        optimizer.zero_grad()
        ((x @ w + b - t) ** 2).mean().backward()
        optimizer.step()
        schedule.step()
        if step in STEPS:
            yield step, [*w.tolist(), b.item()]


def keras_trace(rule):
    x, t = torch.tensor(X), torch.tensor(T)
    params = [keras.Variable(START[:2], dtype="float64"), keras.Variable(START[2], dtype="float64")]
    for step in range(1, max(STEPS) + 1):
        w, b = (p.value.requires_grad_(True) for p in params)
        gradients = torch.autograd.grad(((x @ w + b - t) ** 2).mean(), [w, b])
        with torch.no_grad():
            rule.apply(list(gradients), params)
        if step in STEPS:
            yield step, [*params[0].value.tolist(), params[1].value.item()]


def optax_trace(rule):
    x, t = jax.numpy.array(X), jax.numpy.array(T)
    params = {"w": jax.numpy.array(START[:2]), "b": jax.numpy.array(START[2])}
    state = rule.init(params)

    @jax.jit
    def update(params, state):
        loss = lambda p: ((x @ p["w"] + p["b"] - t) ** 2).mean()
        updates, state = rule.update(jax.grad(loss)(params), state, params)
        return optax.apply_updates(params, updates), state

    for step in range(1, max(STEPS) + 1):
        params, state = update(params, state)
        if step in STEPS:
            yield step, [*params["w"].tolist(), float(params["b"])]


def main():
    path = pathlib.Path(__file__).with_name("traces.csv")
    with path.open("w", newline="") as file:
        table = csv.writer(file, delimiter=";", lineterminator="\n")
        table.writerow(["rule", "framework", "step", "w0", "w1", "b"])
        for rule, make in TORCH.items():
            for step, theta in torch_trace(rule, make):
                table.writerow([rule, f"torch {torch.__version__.split('+')[0]}", step, *map(repr, theta)])
        for rule, make in KERAS.items():
            for step, theta in keras_trace(make):
                table.writerow([rule, f"keras {keras.__version__}", step, *map(repr, theta)])
        for rule, make in OPTAX.items():
            for step, theta in optax_trace(make):
                table.writerow([rule, f"optax {optax.__version__}", step, *map(repr, theta)])


if __name__ == "__main__":
    main()
