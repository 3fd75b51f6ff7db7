"""Writes a program that is a chain of scalars, h1 = tanh(h0 * w + 0.1) to hN, for the time of `dlg check`.

  python3 bench/chain.py 2000 > chain.dlg && time dlg check --no-cache chain.dlg > /dev/null
"""

import sys

HEAD = """dlg 1
data d {
  x = [0.5, 0.25]
  t = [0.1, 0.2]
}
model net(x: []) -> [] {
  param w: [] = 0.5
  h0 = x
"""
TAIL = """}
train {
  minimize  = (net(d.x) - d.t)^2
  optimizer = sgd(lr = 0.1)
  stop      = [1 steps]
}
"""


def chain(length: int) -> str:
    lines = [f"  h{i} = tanh(h{i - 1} * w + 0.{i % 9 + 1})\n" for i in range(1, length + 1)]
    return HEAD + "".join(lines) + f"  return h{length}\n" + TAIL


if __name__ == "__main__":
    sys.stdout.write(chain(int(sys.argv[1])))
