// Owns the training of examples/backprop/net.dlg by hand, for comparison: 2-2-2, sigmoid, one sample, gradient descent, f64.
// As in dlg the learning rate is an input, and every step computes the loss and tests that it is finite.
//   clang -O3 -march=native two_neurons.c -lm && ./a.out STEPS LR       prints seconds and the last loss
#define _POSIX_C_SOURCE 199309L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct {
  double w1[4];
  double w2[4];
} Weights;

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

// One step; returns the loss before it.
static double step(Weights *w, const double *x, const double *t, double lr) {
  const double b1 = 0.35, b2 = 0.60;
  const double h0 = sigmoid(w->w1[0] * x[0] + w->w1[1] * x[1] + b1);
  const double h1 = sigmoid(w->w1[2] * x[0] + w->w1[3] * x[1] + b1);
  const double y0 = sigmoid(w->w2[0] * h0 + w->w2[1] * h1 + b2);
  const double y1 = sigmoid(w->w2[2] * h0 + w->w2[3] * h1 + b2);
  const double e0 = y0 - t[0], e1 = y1 - t[1];
  const double loss = 0.5 * e0 * e0 + 0.5 * e1 * e1;
  const double d0 = e0 * y0 * (1 - y0), d1 = e1 * y1 * (1 - y1);
  const double g0 = (d0 * w->w2[0] + d1 * w->w2[2]) * h0 * (1 - h0);
  const double g1 = (d0 * w->w2[1] + d1 * w->w2[3]) * h1 * (1 - h1);
  w->w2[0] -= lr * d0 * h0;
  w->w2[1] -= lr * d0 * h1;
  w->w2[2] -= lr * d1 * h0;
  w->w2[3] -= lr * d1 * h1;
  w->w1[0] -= lr * g0 * x[0];
  w->w1[1] -= lr * g0 * x[1];
  w->w1[2] -= lr * g1 * x[0];
  w->w1[3] -= lr * g1 * x[1];
  return loss;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const long steps = atol(argv[1]);
  const double lr = atof(argv[2]);
  const double x[2] = {0.05, 0.10}, t[2] = {0.01, 0.99};
  Weights w = {{0.15, 0.20, 0.25, 0.30}, {0.40, 0.45, 0.50, 0.55}};
  double loss = 0;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (long i = 0; i < steps; ++i) {
    loss = step(&w, x, t, lr);
    if (!isfinite(loss)) return 5;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%.9f %.17g\n", (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec), loss);
  return 0;
}
