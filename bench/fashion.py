"""Owns seconds per epoch of the examples of Fashion-MNIST beside the same networks in PyTorch (eager), in turns.

    fashion.py [--threads 2] [--only cnn,mlp] [--rounds 3]

An epoch is 54,000 pictures, shuffled, in the batches of the example, with its optimizer at a constant rate. dlg's is the difference
of a run of two epochs and a run of one, without what it evaluates between them; PyTorch reads from a tensor of floats in memory.
"""

import argparse
import gzip
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import torch
from torch import nn

from turns import OUT, RELEASE, ROOT, cpus

PICTURES = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
LABELS = "/usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz"
ROWS = 54_000


class Residual(nn.Module):
    """Twice a convolution beside one of single places."""

    def __init__(self, inner, units, stride):
        super().__init__()
        self.first = nn.Sequential(*conv_norm(inner, units, 3, stride), nn.ReLU())
        self.second = nn.Sequential(*conv_norm(units, units, 3, 1))
        self.beside = nn.Sequential(*conv_norm(inner, units, 1, stride))

    def forward(self, x):
        return torch.relu(self.second(self.first(x)) + self.beside(x))


def conv_norm(inner, units, kernel, stride=1):
    return nn.Conv2d(inner, units, kernel, stride=stride, padding=kernel // 2, bias=False), nn.BatchNorm2d(units)


def block(inner, units):
    return *conv_norm(inner, units, 3), nn.ReLU(), nn.MaxPool2d(2)


def dense(*sizes):
    layers = []
    for inner, units in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inner, units), nn.ReLU()]
    return layers[:-1]


class Variational(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Sequential(*dense(784, 256, 32)), nn.Sequential(*dense(16, 256, 784))

    def forward(self, x):
        mean, log_variance = self.encoder(x).chunk(2, 1)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean()
        return nn.functional.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="none").sum(1).mean() + kl


def cross_entropy(net):
    return lambda x, t: nn.functional.cross_entropy(net(x), t)


def networks():
    """Name: (images?, batch, network, loss of a batch)."""
    residual = nn.Sequential(*conv_norm(1, 16, 3), nn.ReLU(), Residual(16, 16, 1), Residual(16, 32, 2), Residual(32, 64, 2),
                             nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, 10))
    cnn = nn.Sequential(*block(1, 16), *block(16, 32), nn.Flatten(), nn.Dropout(0.3), nn.Linear(1568, 128), nn.ReLU(), nn.Dropout(0.3),
                        nn.Linear(128, 10))
    mlp = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
    coder = nn.Sequential(*dense(784, 256, 64, 16), *dense(16, 64, 256, 784), nn.Sigmoid())
    variational, softmax = Variational(), nn.Linear(784, 10)
    return {
        "softmax": (False, 128, softmax, cross_entropy(softmax)),
        "mlp": (False, 128, mlp, cross_entropy(mlp)),
        "cnn": (True, 64, cnn, cross_entropy(cnn)),
        "residual": (True, 128, residual, cross_entropy(residual)),
        "autoencoder": (False, 128, coder, lambda x, t: nn.functional.mse_loss(coder(x), x)),
        "vae": (False, 128, variational, lambda x, t: variational(x)),
    }


class Torch:
    def __init__(self, name, threads):
        torch.set_num_threads(threads)
        has_images, self.batch, self.net, self.loss = networks()[name]
        shape = (-1, 1, 28, 28) if has_images else (-1, 784)
        x = np.frombuffer(gzip.open(PICTURES).read(), np.uint8, offset=16).reshape(shape)[:ROWS]
        self.x = torch.from_numpy(x.astype(np.float32) / 255)
        self.t = torch.from_numpy(np.frombuffer(gzip.open(LABELS).read(), np.uint8, offset=8)[:ROWS].astype(np.int64))
        if has_images:
            self.net, self.x = self.net.to(memory_format=torch.channels_last), self.x.contiguous(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3, fused=True)

    def epoch(self, rows=ROWS):
        begin = time.perf_counter()
        for choice in torch.randperm(ROWS)[:rows].split(self.batch):
            self.optimizer.zero_grad(set_to_none=True)
            self.loss(self.x[choice], self.t[choice]).backward()
            self.optimizer.step()
        return time.perf_counter() - begin


class Dlg:
    def __init__(self, name, threads):
        self.folder, self.name, self.threads = OUT / "fashion", name, threads
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        for file in ("train-images-idx3", "train-labels-idx1"):
            shutil.copy(f"/usr/share/datasets/fashion-mnist/{file}-ubyte.gz", self.folder / "data")
        text = (ROOT / f"examples/fashion/{name}.dlg").read_text()
        # Nothing but the training: no part to evaluate, a constant rate.
        for pattern, instead in ((r"\n  test  = .*", ""), (r"\n  metrics .*", ""), (r"split = .*", "split = shares(test = 0.1, train = 0.9, seed = 1)"),
                                 (r"lr = cosine\([^)]*\)", "lr = 1e-3")):
            text = re.sub(pattern, instead, text)
        (self.folder / f"{name}.dlg").write_text(text)

    def run(self, epochs):
        shutil.rmtree(self.folder / "runs", ignore_errors=True)
        command = ["taskset", "-c", cpus(self.threads), RELEASE / "dlg", "train", f"{self.name}.dlg", "--quiet", "--threads", str(self.threads),
                   "--set", f"stop=[{epochs} epochs]"]
        begin = time.perf_counter()
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        return time.perf_counter() - begin

    def epoch(self):
        return self.run(2) - self.run(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(networks()))
    args = parser.parse_args()
    print(f"| {args.threads} threads | dlg, seconds an epoch | PyTorch | ratio (spread) |\n|---|---|---|---|")
    for name in args.only.split(","):
        ours, theirs = Dlg(name, args.threads), Torch(name, args.threads)
        ours.run(1)
        theirs.epoch(20 * theirs.batch)
        pairs = [(ours.epoch(), theirs.epoch()) for _ in range(args.rounds)]
        ratios = sorted(their / our for our, their in pairs)
        print(f"| {name} | {min(our for our, _ in pairs):.2f} | {min(their for _, their in pairs):.2f} | "
              f"{ratios[len(ratios) // 2]:.2f} ({ratios[0]:.2f}..{ratios[-1]:.2f}) |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
