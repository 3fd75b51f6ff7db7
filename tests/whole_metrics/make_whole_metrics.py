"""Writes NAME.csv, NAME_test.csv, NAME.dlg and NAME.values for data of several sizes: what scikit-learn gives for the metrics of std
that see a whole part.

    python3 tests/whole_metrics/make_whole_metrics.py        needs scikit-learn

Logits are on a grid, so that there are ties; the last class never occurs as a target, and in the smallest data nothing is taken for it
either. NAME.values has a line for each number: part, name of the metric, value.
"""

import pathlib
import warnings

import numpy
from scipy.special import log_softmax
from sklearn import metrics

HERE = pathlib.Path(__file__).parent
CLASSES = 4
SIZES = {"small": (9, 5), "middle": (61, 30), "large": (300, 101)}
K = (1, 2, 3)

PROGRAM = """dlg 1
use f64
dim cls = 4
data d {{
  file = csv("{name}.csv")
  test = csv("{name}_test.csv")
  y = column("y")
  t = column("t")
  score = column("score")
  label = column("label")
  z = columns("z0", "z1", "z2", "z3")
  c = column("class")
}}
model net() -> [] {{
  param w: [] = 1
  return w
}}
train {{
  minimize = mse(net(), d.t)
  optimizer = sgd(lr = 0.1)
  stop = [1 steps]
  metrics = [{metrics}]
}}
"""


def drawn(generator, rows):
    """A table: column names to columns."""
    t = numpy.round(generator.normal(size=rows) * 3, 2)
    label = generator.integers(2, size=rows)
    label[:2] = 0, 1
    table = {"y": numpy.round(t + generator.normal(size=rows), 2), "t": t}
    table["score"] = numpy.round((generator.normal(size=rows) + label) * 4) / 4
    table["label"] = label
    for k in range(CLASSES):
        shift = 8 if k == 3 and rows < 10 else 0
        table[f"z{k}"] = numpy.round(generator.normal(size=rows) * 4) / 4 - shift
    table["class"] = generator.integers(CLASSES - 1, size=rows)
    return table


def expressions(table):
    """The metrics as a program writes them, each with what scikit-learn gives."""
    y, t, score, label, c = (table[name] for name in ("y", "t", "score", "label", "class"))
    z = numpy.stack([table[f"z{k}"] for k in range(CLASSES)], axis=1)
    taken = z.argmax(axis=1)
    above = (score > 0).astype(int)
    found = {
        "r2(d.y, d.t)": metrics.r2_score(t, y),
        "rmse(d.y, d.t)": metrics.mean_squared_error(t, y) ** 0.5,
        "auc(d.score, d.label)": metrics.roc_auc_score(label, score),
        "accuracy(d.z, d.c)": metrics.accuracy_score(c, taken),
        "perplexity(d.z, d.c)": numpy.exp(metrics.log_loss(c, numpy.exp(log_softmax(z, axis=1)), labels=range(CLASSES))),
        "confusion(d.z, d.c)": metrics.confusion_matrix(c, taken, labels=range(CLASSES)),
    }
    for name in ("precision", "recall", "f1"):
        score_of = getattr(metrics, f"{name}_score")
        found[f"{name}(d.z, d.c)"] = score_of(c, taken, average="macro", zero_division=0)
        found[f"{name}(d.z, d.c, average = micro)"] = score_of(c, taken, average="micro", zero_division=0)
        found[f"{name}(d.score, d.label)"] = score_of(label, above, zero_division=0)
    for k in K:
        found[f"top_k(d.z, d.c, k = {k})"] = metrics.top_k_accuracy_score(c, z, k=k, labels=range(CLASSES))
    return found


def names(found):
    """As results are called: `f1`, `f1 2`."""
    seen = {}
    for expression in found:
        name = expression.split("(")[0]
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name} {seen[name]}"


def lines(part, found):
    for name, value in zip(names(found), found.values()):
        numbers = value.flatten() if isinstance(value, numpy.ndarray) else [value]
        yield f"{part}.{name}\t" + " ".join(repr(float(number)) for number in numbers)


def write_csv(path, table):
    rows = zip(*table.values())
    path.write_text("\n".join([",".join(table)] + [",".join(str(cell) for cell in row) for row in rows]) + "\n")


def main():
    warnings.simplefilter("ignore")
    for number, (name, sizes) in enumerate(SIZES.items()):
        generator = numpy.random.default_rng(number)
        values = []
        for part, rows in zip(("train", "test"), sizes):
            table = drawn(generator, rows)
            write_csv(HERE / (name + ("" if part == "train" else "_test") + ".csv"), table)
            found = expressions(table)
            values += lines(part, found)
        program = PROGRAM.format(name=name, metrics=", ".join(found))
        (HERE / f"{name}.dlg").write_text(program)
        (HERE / f"{name}.values").write_text("\n".join(values) + "\n")


main()
