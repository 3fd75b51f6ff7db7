"""Owns the trainings of the peers: one step of a workload in PyTorch and JAX, timed in a process of its own.

    peers.py PEER WORKLOAD THREADS SECONDS

prints {"first": seconds from the start of the program to the end of step 1, imports included, "peak": bytes that were
resident at most until then, "loss": after the steps of the comparison}, and then for each line of its input the microseconds of a step, so that its windows can alternate with others.
"""

import json
import os
import sys
import time

import numpy as np

from images import BLOCKS, EPSILON
from workloads import ALL, BATCHES, CHECK_STEPS, MOMENTUM, batches, data, mean_loss, parameters


def peak_bytes():
    """The most that was resident since the program began: what the kernel says of resources counts the process that forked, too."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


class Torch:
    """Eager with the fused optimizers of PyTorch, or forward, backward and optimizer compiled. Images have their channels last."""

    scanned = 1

    def __init__(self, w, threads, is_compiled):
        import torch

        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        self.w, self.torch = w, torch
        self.batches = [(self.tensor(x), torch.from_numpy(t).long() if t.dtype == np.int32 else torch.from_numpy(t)) for x, t in batches(w)]
        self.p = {name: self.tensor(value.copy()).requires_grad_() for name, value in parameters(w).items()}
        kind = torch.optim.Adam if w.rule == "adam" else torch.optim.SGD
        options = ({} if is_compiled else {"fused": True}) | ({} if w.rule == "adam" else {"momentum": MOMENTUM[w.rule]})
        self.optimizer = kind(list(self.p.values()), lr=w.lr, **options)
        self.step = torch.compile(self.whole_step) if is_compiled else self.whole_step
        self.made = 0

    def tensor(self, array):
        result = self.torch.from_numpy(array)
        return result.contiguous(memory_format=self.torch.channels_last) if array.ndim == 4 else result

    def lenet(self, x):
        torch, p, F = self.torch, self.p, self.torch.nn.functional
        for k, pad in enumerate((2, 0)):
            x = F.max_pool2d(torch.relu(F.conv2d(x, p[f"conv2d[{k}].W"], p[f"conv2d[{k}].with_bias.b"], padding=pad)), 2)
        x = x.flatten(1)
        for k in range(3):
            x = F.linear(x if k == 0 else torch.relu(x), p[f"dense[{k}].W"], p[f"dense[{k}].b"])
        return x

    def conv_norm(self, x, path, stride=1):
        p, F = self.p, self.torch.nn.functional
        x = F.conv2d(x, p[f"{path}.conv2d.W"], stride=stride, padding=1)
        return F.batch_norm(x, None, None, p[f"{path}.normalised.gain"], p[f"{path}.normalised.shift"], training=True, eps=EPSILON)

    def resnet20(self, x):
        torch, p, F = self.torch, self.p, self.torch.nn.functional
        x = torch.relu(self.conv_norm(x, "conv_norm"))
        for k, (units, stride) in enumerate(BLOCKS):
            y = torch.relu(self.conv_norm(x, f"block[{k}].conv_norm[0]", stride))
            y = self.conv_norm(y, f"block[{k}].conv_norm[1]")
            shortcut = x if stride == 1 else F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, units - x.shape[1]))
            x = torch.relu(shortcut + y)
        return F.linear(x.mean((2, 3)), p["dense.W"], p["dense.b"])

    def loss(self, x, t):
        w, p, F = self.w, self.p, self.torch.nn.functional
        if w.net:
            return F.cross_entropy(getattr(self, w.net)(x), t)
        if not w.sizes:
            d = p["w"] - x
            return (0.5 * d * d * t).sum()
        layers = len(w.sizes) - 1
        h = x
        for k in range(1, layers + 1):
            h = F.linear(h, p[f"W{k}"], p[f"b{k}"])
            if k < layers:
                h = self.torch.tanh(h) if w.activation == "tanh" else self.torch.relu(h)
        return F.cross_entropy(h, t) if w.loss == "cross_entropy" else F.mse_loss(h, t)

    def whole_step(self, x, t):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(x, t).backward()
        self.optimizer.step()

    def run(self, steps):
        for _ in range(steps):
            self.step(*self.batches[self.made % BATCHES])
            self.made += 1

    def parameters(self):
        return {name: value.detach().numpy() for name, value in self.p.items()}


class Jax:
    """A compiled step called from Python (`scanned` = 1), or a scan of so many steps compiled as one. Images have their channels
    last, and weights of convolutions are [row, column, in, out]."""

    def __init__(self, w, threads, scanned):
        import jax
        import jax.numpy as jnp

        self.w, self.jax, self.jnp, self.scanned = w, jax, jnp, scanned
        x, t = data(w)
        x = x.transpose(0, 2, 3, 1) if w.net else x
        self.x = jnp.asarray(x.reshape(BATCHES, w.batch, *x.shape[1:]))
        self.t = jnp.asarray(t.reshape(BATCHES, w.batch, *t.shape[1:]))
        self.pairs = [(self.x[i], self.t[i]) for i in range(BATCHES)]
        p = {name: jnp.asarray(value.transpose(2, 3, 1, 0) if value.ndim == 4 else value) for name, value in parameters(w).items()}
        zeros = jax.tree.map(jnp.zeros_like, p)
        self.state = (p, zeros, jax.tree.map(jnp.copy, zeros), jnp.float32(0))
        self.one = jax.jit(self.step, donate_argnums=0)
        self.many = jax.jit(self.chunk, static_argnums=1, donate_argnums=0)
        self.made = 0

    def conv(self, x, K, stride=1, pad=0):
        sides = [(pad, pad), (pad, pad)]
        return self.jax.lax.conv_general_dilated(x, K, (stride, stride), sides, dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def lenet(self, p, x):
        jax, jnp = self.jax, self.jnp
        for k, pad in enumerate((2, 0)):
            x = jax.nn.relu(self.conv(x, p[f"conv2d[{k}].W"], pad=pad) + p[f"conv2d[{k}].with_bias.b"])
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        # The weights expect the channels first.
        x = x.transpose(0, 3, 1, 2).reshape(len(x), -1)
        for k in range(3):
            x = (x if k == 0 else jax.nn.relu(x)) @ p[f"dense[{k}].W"].T + p[f"dense[{k}].b"]
        return x

    def conv_norm(self, p, x, path, stride=1):
        x = self.conv(x, p[f"{path}.conv2d.W"], stride, pad=1)
        centred = x - x.mean((0, 1, 2))
        variance = (centred * centred).mean((0, 1, 2))
        return centred * (self.jax.lax.rsqrt(variance + EPSILON) * p[f"{path}.normalised.gain"]) + p[f"{path}.normalised.shift"]

    def resnet20(self, p, x):
        jax, jnp = self.jax, self.jnp
        x = jax.nn.relu(self.conv_norm(p, x, "conv_norm"))
        for k, (units, stride) in enumerate(BLOCKS):
            y = jax.nn.relu(self.conv_norm(p, x, f"block[{k}].conv_norm[0]", stride))
            y = self.conv_norm(p, y, f"block[{k}].conv_norm[1]")
            shortcut = x if stride == 1 else jnp.pad(x[:, ::2, ::2], ((0, 0), (0, 0), (0, 0), (0, units - x.shape[3])))
            x = jax.nn.relu(shortcut + y)
        return x.mean((1, 2)) @ p["dense.W"].T + p["dense.b"]

    def loss(self, p, x, t):
        w, jnp = self.w, self.jnp
        if w.net:
            return self.cross_entropy(getattr(self, w.net)(p, x), t)
        if not w.sizes:
            d = p["w"] - x
            return (0.5 * d * d * t).sum()
        layers = len(w.sizes) - 1
        h = x
        for k in range(1, layers + 1):
            h = h @ p[f"W{k}"].T + p[f"b{k}"]
            if k < layers:
                h = jnp.tanh(h) if w.activation == "tanh" else self.jax.nn.relu(h)
        if w.loss == "mse":
            return ((h - t) ** 2).mean()
        return self.cross_entropy(h, t)

    def cross_entropy(self, y, t):
        return -self.jnp.take_along_axis(self.jax.nn.log_softmax(y), t[:, None], axis=1).mean()

    def step(self, state, x, t):
        p, s, r, count = state
        loss, g = self.jax.value_and_grad(self.loss)(p, x, t)
        over = self.jax.tree.map
        if self.w.rule == "sgd":
            return (over(lambda a, b: a - self.w.lr * b, p, g), s, r, count), loss
        if self.w.rule == "momentum":
            s = over(lambda a, b: MOMENTUM["momentum"] * a + self.w.lr * b, s, g)
            return (over(lambda a, b: a - b, p, s), s, r, count), loss
        count = count + 1
        s = over(lambda a, b: 0.9 * a + 0.1 * b, s, g)
        r = over(lambda a, b: 0.999 * a + 0.001 * b * b, r, g)
        c1, c2 = 1 - 0.9**count, 1 - 0.999**count
        return (over(lambda a, m, v: a - self.w.lr * (m / c1) / (self.jnp.sqrt(v / c2) + 1e-8), p, s, r), s, r, count), loss

    def chunk(self, state, steps):
        def body(state, i):
            return self.step(state, self.x[i], self.t[i])
        return self.jax.lax.scan(body, state, self.jnp.arange(steps) % BATCHES)

    def run(self, steps):
        if self.scanned == 1:
            for _ in range(steps):
                self.state, losses = self.one(self.state, *self.pairs[self.made % BATCHES])
                self.made += 1
        else:
            call = self.scanned if steps >= self.scanned else BATCHES
            for _ in range(max(1, steps // call)):
                self.state, losses = self.many(self.state, call)
                self.made += call
        self.jax.block_until_ready((self.state, losses))

    def parameters(self):
        return {name: np.asarray(value.transpose(3, 2, 0, 1) if value.ndim == 4 else value) for name, value in self.state[0].items()}


PEERS = {
    "torch": lambda w, threads: Torch(w, threads, is_compiled=False),
    "torch.compile": lambda w, threads: Torch(w, threads, is_compiled=True),
    "jax": lambda w, threads: Jax(w, threads, 1),
    # Of a large step as many as there are batches: a window is a few of these.
    "jax.scan": lambda w, threads: Jax(w, threads, BATCHES if w.flops > 1e9 else CHECK_STEPS),
    "jax.long": lambda w, threads: Jax(w, threads, 100 * CHECK_STEPS),
}


def serve(trainer, w, begin, seconds):
    """Answers each line of stdin with the microseconds of a step over a window of about so many seconds."""
    trainer.run(1)
    first = time.perf_counter() - begin
    peak = peak_bytes()
    if trainer.made < w.check_steps:
        trainer.run(w.check_steps - trainer.made)
    loss = mean_loss(w, trainer.parameters())
    trainer.run(trainer.scanned)  # compiles what the windows call
    steps, took = BATCHES, 0.0
    while took < seconds / 2:
        start = time.perf_counter()
        trainer.run(steps)
        took = time.perf_counter() - start
        steps *= 2
    print(json.dumps({"first": first, "peak": peak, "loss": loss}), flush=True)
    for _ in sys.stdin:
        made, start = trainer.made, time.perf_counter()
        trainer.run(steps // 2)
        print((time.perf_counter() - start) / (trainer.made - made) * 1e6, flush=True)


def main():
    begin = time.perf_counter()
    peer, name, threads, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    w = ALL[name]
    serve(PEERS[peer](w, threads), w, begin, seconds)


if __name__ == "__main__":
    main()
