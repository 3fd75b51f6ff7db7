"""Writes a program of N layers, tanh, trained by adam on random-looking numbers, for the time of its compilation: equal ones of
64 units, or each of a width of its own (65, 66, ...).

  python3 bench/layers.py 64 equal > layers.dlg && dlg train --no-cache --time-passes --quiet layers.dlg
"""

import sys

WIDTH = 64
KINDS = ("equal", "distinct")
ROWS = 32


def numbers(seed: int) -> str:
    rows = [[round((37 * (seed + row * WIDTH + i) % 101) / 101 - 0.5, 3) for i in range(WIDTH)] for row in range(ROWS)]
    return "[" + ",\n       ".join(str(row) for row in rows) + "]"


def program(count: int, kind: str) -> str:
    widths = [WIDTH if kind == "equal" or i == count else WIDTH + i for i in range(1, count + 1)]
    lines = [f"  h{i} = tanh(dense(h{i - 1}, units = {width}))" for i, width in enumerate(widths, 1)]
    return f"""dlg 1
data d {{
  x = {numbers(1)}
  t = {numbers(7)}
}}
model net(x: [64]) -> [64] {{
  h0 = x
""" + "\n".join(lines) + f"""
  return h{count}
}}
train {{
  minimize  = mse(net(d.x), d.t)
  optimizer = adam(lr = 0.001)
  batch     = {ROWS}
  stop      = [1 steps]
}}
"""


if __name__ == "__main__":
    sys.stdout.write(program(int(sys.argv[1]), sys.argv[2]))
