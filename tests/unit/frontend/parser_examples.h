// Owns the programs of the language's description that this version reads, for tests of the frontend.
#pragma once

namespace dlg::test {

constexpr const char* kWorkedExample = R"(dlg 1
use f64
dim inp = 2
dim mid = 2
dim out = 2
data one {                                             # one sample, written in place
  x = [[0.05, 0.10]]
  t = [[0.01, 0.99]]
}
model net(x: [inp]) -> [out] {
  param W1: [mid, inp] = [[0.15, 0.20], [0.25, 0.30]]  # w1 w2 / w3 w4
  param W2: [out, mid] = [[0.40, 0.45], [0.50, 0.55]]
  const b1: [] = 0.35
  const b2: [] = 0.60
  H = W1 @ x + b1
  h = sigmoid(H)
  z = W2 @ h + b2
  return sigmoid(z)
}
loss E(y: [out], t: [out]) = sum(0.5 * (t - y)^2)
train {
  minimize  = E(net(one.x), one.t)
  optimizer = sgd(lr = 0.5)                            # θ of the lecture
  stop      = [1 steps]
}
check "values of the slide, misprints corrected" {
  expect net.h[0]                  ~ 0.59327   +- 5e-6
  expect grad(net.W2)[0, 0]        ~ 0.082167  +- 5e-7
  expect after(1 steps, net.W2)[0, 0] ~ 0.35892 +- 5e-6
}
)";

constexpr const char* kClassifier = R"(dlg 1
dim pixel = 28 * 28
dim cls = 10
data fashion {
  file  = idx("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")
  x     = image / 255 as [pixel]
  u     = columns(0..63) / 16 as [pixel]
  t     = class(column(64))
  split = shares(train = 0.9, val = 0.1, seed = 1)
}
fn dense(x: [n], units: int, act = identity) -> [units] {
  param W: [units, n] = glorot_uniform()
  param b: [units] = 0
  return act(W @ x + b)
}
model mlp(x: [pixel]) -> [cls] {
  return x |> dense(128, relu) |> dense(cls)
}
model cnn(x: [pixel]) -> [cls] {
  return x as [chan: 1, row: 28, col: 28]
    |> conv2d(8, kernel = 3, pad = same) |> relu |> max_pool(2)
    # a comment between the lines

    |> flatten() |> dropout(0.25) |> dense(cls)
}
fn rank(x: [..., cls]) -> [...] = sum(x, over = cls)
train {
  minimize  = cross_entropy(mlp(fashion.x), fashion.t) + 1e-4 * l2(params(mlp))
  optimizer = adam(lr = cosine(1e-3, warmup = 100 steps))
  clip      = global_norm(1.0)
  batch     = 64
  stop      = [20 epochs, plateau(val.loss, patience = 3 epochs), change(loss) < 1e-6, 2 min]
  metrics   = [accuracy(mlp(fashion.x), fashion.t)]
}
)";

constexpr const char* kOptimizers = R"(dlg 1
optimizer nesterov(lr, beta = 0.9) {                   # the lecture: v <- γv + η ∇J(θ - γv);  θ <- θ - v
  require lr > 0
  state v = 0
  v <- beta * v + lr * grad(theta - beta * v)
  theta <- theta - v
}
optimizer adam(lr = 1e-3, rho1 = 0.9, rho2 = 0.999, delta = 1e-8) {
  state s = 0
  state r = 0
  s <- rho1 * s + (1 - rho1) * grad(theta)
  r <- rho2 * r + (1 - rho2) * grad(theta)^2
  theta <- theta - lr * (s / (1 - rho1^step)) / (sqrt(r / (1 - rho2^step)) + delta)
}
fn ravine(w: [plane]) -> [] { return 0.5 * (w[0]^2 + 25 * w[1]^2) }
fn attention(x: [T, D], heads: int) -> [T, D] {
  param Wqkv: [D, 3 * D] = normal(0.02)
  param Wo: [D, D] = normal(0.02)
  q, k, v = chunk(x @ Wqkv, 3) |> map(split_heads, heads)
  a = softmax(causal(q @ transpose(k) / sqrt(D / heads)))
  return merge_heads(a @ v) @ Wo
}
)";

}  // namespace dlg::test
