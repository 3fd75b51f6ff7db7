"""Owns the proof that the examples of Fashion-MNIST learn: each is trained and judged on the test part.

    run_fashion.py BUILD          on every tenth picture, in half a minute; the bars are those of so few
    run_fashion.py BUILD --full   on all of them, with three seeds each; some minutes a program
    run_fashion.py BUILD --full --only cnn.dlg --seeds 1

The pictures come from the distribution's package (scripts/install test); they are copied into a folder of their own.
"""

import argparse
import gzip
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURES = Path("/usr/share/datasets/fashion-mnist")
EVERY = 10  # of the short form
# What the last lines of `dlg train` have to say of the test part: at least so many percent are right, or the loss is at
# most so much. Of the short form first.
ACCURACY = {"softmax.dlg": (82, 84), "mlp.dlg": (85.5, 88.5), "cnn.dlg": (87, 91.5), "residual.dlg": (86, 92.5)}
LOSS = {"autoencoder.dlg": (0.023, 0.0135), "vae.dlg": (268, 250)}


def every(step, name):
    """The bytes of an IDX file with each `step`th of its elements."""
    data = gzip.decompress((PICTURES / name).read_bytes())
    axes = data[3]
    sizes = [int.from_bytes(data[4 + 4 * i:8 + 4 * i], "big") for i in range(axes)]
    head = 4 + 4 * axes
    length = (len(data) - head) // sizes[0]
    kept = [data[head + i * length:head + (i + 1) * length] for i in range(0, sizes[0], step)]
    return data[:4] + len(kept).to_bytes(4, "big") + data[8:head] + b"".join(kept)


def prepare(folder, step):
    for program in sorted((ROOT / "examples/fashion").glob("*.dlg")):
        shutil.copy(program, folder)
    (folder / "data").mkdir()
    for file in PICTURES.glob("*-ubyte.gz"):
        (folder / "data" / file.name).write_bytes(file.read_bytes() if step == 1 else every(step, file.name))


def train(dlg, folder, program, seed):
    """The text of a training, which must end well."""
    command = [dlg, "train", program, "--quiet", "--set", f"seed={seed}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{program}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def number_of(text, what):
    found = re.search(rf"^test {what} (\S+)", text, re.M)
    if not found:
        raise SystemExit(f"no `test {what}` in\n{text}")
    return float(found[1])


def judge(program, text, form):
    """A line of the table, and whether the bar is reached."""
    if program in ACCURACY:
        reached, bar = number_of(text, "accuracy"), ACCURACY[program][form]
        return f"{program}: test accuracy {reached:.2f} %, wanted {bar} %", reached >= bar
    reached, bar = number_of(text, "loss"), LOSS[program][form]
    return f"{program}: test loss {reached:.4g}, wanted {bar} at most", reached <= bar


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--seeds", default="1,2,3", help="of the full form")
    args = parser.parse_args()
    if not PICTURES.exists():
        raise SystemExit(f"{PICTURES} is missing: scripts/install fashion")
    programs = {path.name for path in (ROOT / "examples/fashion").glob("*.dlg")}
    if programs != ACCURACY.keys() | LOSS.keys():
        raise SystemExit(f"no bar, or no program: {programs ^ (ACCURACY.keys() | LOSS.keys())}")
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, 1 if args.full else EVERY)
        for program in [args.only] if args.only else sorted(programs):
            for seed in args.seeds.split(",") if args.full else ["1"]:
                line, is_met = judge(program, train((args.build / "dlg").resolve(), folder, program, seed), 1 if args.full else 0)
                print(f"{line}{'' if is_met else ': FAILED'}, seed {seed}", flush=True)
                failed += not is_met
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
