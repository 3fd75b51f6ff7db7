#include "tests/driver/rule_references.h"

#include <algorithm>
#include <cmath>

namespace dlg::testing {
namespace {

template <class Body>
void each(Body body) {
  for (std::size_t i = 0; i < 3; ++i) body(i);
}

Theta moved(const Theta& theta, const Theta& by, double factor) {
  Theta result{};
  each([&](std::size_t i) { result[i] = theta[i] + factor * by[i]; });
  return result;
}

double sign_of(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}

double square(double x) {
  return x * x;
}

/// first: average of gradients, second: of their squares.
void follow_moments(RuleState& s, const Theta& g, double beta1, double beta2) {
  each([&](std::size_t i) {
    s.first[i] += (1 - beta1) * (g[i] - s.first[i]);
    s.second[i] += (1 - beta2) * (g[i] * g[i] - s.second[i]);
  });
}

void gradient_descent(RuleState& s, const Gradient& gradient, int, double lr) {
  s.theta = moved(s.theta, gradient(s.theta), -lr);
}

/// The velocity holds the rate.
void momentum(RuleState& s, const Gradient& gradient, int, double lr) {
  const Theta g = gradient(s.theta);
  each([&](std::size_t i) {
    s.first[i] = 0.9 * s.first[i] - lr * g[i];
    s.theta[i] += s.first[i];
  });
}

/// torch.optim.SGD(momentum = 0.9), optax.sgd: the rate stands outside.
void momentum_outside(RuleState& s, const Gradient& gradient, int, double lr) {
  const Theta g = gradient(s.theta);
  each([&](std::size_t i) {
    s.first[i] = 0.9 * s.first[i] + g[i];
    s.theta[i] -= lr * s.first[i];
  });
}

void nesterov(RuleState& s, const Gradient& gradient, int, double lr) {
  const Theta g = gradient(moved(s.theta, s.first, -0.9));
  each([&](std::size_t i) {
    s.first[i] = 0.9 * s.first[i] + lr * g[i];
    s.theta[i] -= s.first[i];
  });
}

void nesterov_reformulated(RuleState& s, const Gradient& gradient, int, double lr) {
  const Theta g = gradient(s.theta);
  each([&](std::size_t i) {
    s.first[i] = 0.9 * s.first[i] + lr * g[i];
    s.theta[i] -= 0.9 * s.first[i] + lr * g[i];
  });
}

void nesterov_outside(RuleState& s, const Gradient& gradient, int, double lr) {
  const Theta g = gradient(s.theta);
  each([&](std::size_t i) {
    s.first[i] = 0.9 * s.first[i] + g[i];
    s.theta[i] -= lr * (g[i] + 0.9 * s.first[i]);
  });
}

enum class Place { kInside, kOutside };

double divided(double g, double r, double delta, Place place) {
  return place == Place::kInside ? g / std::sqrt(r + delta) : g / (std::sqrt(r) + delta);
}

Update adagrad(double start, double delta, Place place) {
  return [=](RuleState& s, const Gradient& gradient, int step, double lr) {
    if (step == 1) s.first = {start, start, start};
    const Theta g = gradient(s.theta);
    each([&](std::size_t i) {
      s.first[i] += g[i] * g[i];
      s.theta[i] -= lr * divided(g[i], s.first[i], delta, place);
    });
  };
}

Update adadelta(double rho, double delta) {
  return [=](RuleState& s, const Gradient& gradient, int, double lr) {
    const Theta g = gradient(s.theta);
    each([&](std::size_t i) {
      s.first[i] = rho * s.first[i] + (1 - rho) * g[i] * g[i];
      const double dx = std::sqrt(s.second[i] + delta) / std::sqrt(s.first[i] + delta) * g[i];
      s.second[i] = rho * s.second[i] + (1 - rho) * dx * dx;
      s.theta[i] -= lr * dx;
    });
  };
}

Update rmsprop(double rho, double delta, Place place) {
  return [=](RuleState& s, const Gradient& gradient, int, double lr) {
    const Theta g = gradient(s.theta);
    each([&](std::size_t i) {
      s.first[i] = rho * s.first[i] + (1 - rho) * g[i] * g[i];
      s.theta[i] -= lr * divided(g[i], s.first[i], delta, place);
    });
  };
}

void rmsprop_centered(RuleState& s, const Gradient& gradient, int, double lr) {
  const Theta g = gradient(s.theta);
  each([&](std::size_t i) {
    s.first[i] = 0.9 * s.first[i] + 0.1 * g[i] * g[i];
    s.second[i] = 0.9 * s.second[i] + 0.1 * g[i];
    const double variance = std::max(s.first[i] - square(s.second[i]), 0.0);
    s.theta[i] -= lr * g[i] / std::sqrt(variance + 1e-6);
  });
}

Update rmsprop_nesterov(double delta) {
  return [=](RuleState& s, const Gradient& gradient, int, double lr) {
    const Theta g = gradient(moved(s.theta, s.second, 0.9));
    each([&](std::size_t i) {
      s.first[i] = 0.9 * s.first[i] + 0.1 * g[i] * g[i];
      s.second[i] = 0.9 * s.second[i] - lr * g[i] / std::sqrt(delta + s.first[i]);
      s.theta[i] += s.second[i];
    });
  };
}

/// Moments corrected before anything else is done with them.
Update adam(double delta, double decay) {
  return [=](RuleState& s, const Gradient& gradient, int step, double lr) {
    follow_moments(s, gradient(s.theta), 0.9, 0.999);
    each([&](std::size_t i) {
      const double m = s.first[i] / (1 - std::pow(0.9, step));
      const double v = s.second[i] / (1 - std::pow(0.999, step));
      s.theta[i] -= lr * (m / (std::sqrt(v) + delta) + decay * s.theta[i]);
    });
  };
}

/// Keras: the epsilon of the paper's section 2.
Update adam_hat(double delta, double decay) {
  return [=](RuleState& s, const Gradient& gradient, int step, double lr) {
    follow_moments(s, gradient(s.theta), 0.9, 0.999);
    const double alpha = lr * std::sqrt(1 - std::pow(0.999, step)) / (1 - std::pow(0.9, step));
    each([&](std::size_t i) {
      s.theta[i] -= lr * decay * s.theta[i] + alpha * s.first[i] / (std::sqrt(s.second[i]) + delta);
    });
  };
}

/// The schedule of the momentum: mu_t of the paper, with 0.96 to the power of t times `slowness`.
double mu(double beta, double slowness, int step) {
  return beta * (1 - 0.5 * std::pow(0.96, step * slowness));
}

struct Nadam {
  double beta;
  double slowness;
  double delta;
  bool is_average_scheduled;
};

Update nadam(const Nadam& n) {
  return [=](RuleState& s, const Gradient& gradient, int step, double lr) {
    const Theta g = gradient(s.theta);
    const double now = mu(n.beta, n.slowness, step);
    const double next = mu(n.beta, n.slowness, step + 1);
    s.product *= now;
    follow_moments(s, g, n.is_average_scheduled ? now : n.beta, 0.999);
    each([&](std::size_t i) {
      const double ahead = next * s.first[i] / (1 - s.product * next) + (1 - now) * g[i] / (1 - s.product);
      s.theta[i] -= lr * ahead / (std::sqrt(s.second[i] / (1 - std::pow(0.999, step))) + n.delta);
    });
  };
}

void nadam_optax(RuleState& s, const Gradient& gradient, int step, double lr) {
  const Theta g = gradient(s.theta);
  follow_moments(s, g, 0.9, 0.999);
  each([&](std::size_t i) {
    const double m =
        0.9 * s.first[i] / (1 - std::pow(0.9, step + 1)) + 0.1 * g[i] / (1 - std::pow(0.9, step));
    s.theta[i] -= lr * m / (std::sqrt(s.second[i] / (1 - std::pow(0.999, step))) + 1e-8);
  });
}

void amsgrad(RuleState& s, const Gradient& gradient, int, double lr) {
  follow_moments(s, gradient(s.theta), 0.9, 0.999);
  each([&](std::size_t i) {
    s.third[i] = std::max(s.third[i], s.second[i]);
    s.theta[i] -= lr * s.first[i] / (std::sqrt(s.third[i]) + 1e-8);
  });
}

void amsgrad_torch(RuleState& s, const Gradient& gradient, int step, double lr) {
  follow_moments(s, gradient(s.theta), 0.9, 0.999);
  each([&](std::size_t i) {
    s.third[i] = std::max(s.third[i], s.second[i]);
    const double root = std::sqrt(s.third[i] / (1 - std::pow(0.999, step)));
    s.theta[i] -= lr * s.first[i] / (1 - std::pow(0.9, step)) / (root + 1e-8);
  });
}

void amsgrad_keras(RuleState& s, const Gradient& gradient, int step, double lr) {
  follow_moments(s, gradient(s.theta), 0.9, 0.999);
  const double alpha = lr * std::sqrt(1 - std::pow(0.999, step)) / (1 - std::pow(0.9, step));
  each([&](std::size_t i) {
    s.third[i] = std::max(s.third[i], s.second[i]);
    s.theta[i] -= alpha * s.first[i] / (std::sqrt(s.third[i]) + 1e-7);
  });
}

void amsgrad_optax(RuleState& s, const Gradient& gradient, int step, double lr) {
  follow_moments(s, gradient(s.theta), 0.9, 0.999);
  each([&](std::size_t i) {
    s.third[i] = std::max(s.third[i], s.second[i] / (1 - std::pow(0.999, step)));
    s.theta[i] -= lr * s.first[i] / (1 - std::pow(0.9, step)) / (std::sqrt(s.third[i]) + 1e-8);
  });
}

Update lion(double decay) {
  return [=](RuleState& s, const Gradient& gradient, int, double lr) {
    const Theta g = gradient(s.theta);
    each([&](std::size_t i) {
      const double direction = sign_of(0.9 * s.first[i] + 0.1 * g[i]);
      s.first[i] = 0.99 * s.first[i] + 0.01 * g[i];
      s.theta[i] -= lr * (direction + decay * s.theta[i]);
    });
  };
}

/// The ratio of the norms of one parameter, from `begin` to `end`.
double trust(const Theta& theta, const Theta& u, std::size_t begin, std::size_t end) {
  double weights = 0, update = 0;
  for (std::size_t i = begin; i < end; ++i) {
    weights += square(theta[i]);
    update += square(u[i]);
  }
  return weights > 0 && update > 0 ? std::sqrt(weights) / std::sqrt(update) : 1;
}

Update lamb(double decay) {
  return [=](RuleState& s, const Gradient& gradient, int step, double lr) {
    follow_moments(s, gradient(s.theta), 0.9, 0.999);
    Theta u{};
    each([&](std::size_t i) {
      const double m = s.first[i] / (1 - std::pow(0.9, step));
      const double v = s.second[i] / (1 - std::pow(0.999, step));
      u[i] = m / (std::sqrt(v) + 1e-6) + decay * s.theta[i];
    });
    const double of_w = trust(s.theta, u, 0, 2);
    const double of_b = trust(s.theta, u, 2, 3);
    each([&](std::size_t i) { s.theta[i] -= lr * (i < 2 ? of_w : of_b) * u[i]; });
  };
}

}  // namespace

const std::vector<RuleReference>& rule_references() {
  static const std::vector<RuleReference> all{
      {"gradient_descent", "", 0.1, gradient_descent},
      {"sgd", "", 0.1, gradient_descent},
      {"momentum", "", 0.02, momentum},
      {"momentum", ", like = keras", 0.02, momentum},
      {"momentum", ", like = torch", 0.02, momentum_outside},
      {"momentum", ", like = optax", 0.02, momentum_outside},
      {"momentum_delta", "", 0.02, momentum},
      {"nesterov", "", 0.02, nesterov},
      {"nesterov_reformulated", "", 0.02, nesterov_reformulated},
      {"nesterov", ", like = keras", 0.02, nesterov_reformulated},
      {"nesterov", ", like = torch", 0.02, nesterov_outside},
      {"nesterov", ", like = optax", 0.02, nesterov_outside},
      {"adagrad", "", 0.05, adagrad(0, 1e-7, Place::kOutside)},
      {"adagrad", ", like = torch", 0.05, adagrad(0, 1e-10, Place::kOutside)},
      {"adagrad", ", like = keras", 0.05, adagrad(0.1, 1e-7, Place::kInside)},
      {"adagrad", ", like = optax", 0.05, adagrad(0.1, 1e-7, Place::kInside)},
      {"adadelta", "", 1, adadelta(0.95, 1e-6)},
      {"adadelta", ", like = torch", 1, adadelta(0.9, 1e-6)},
      {"adadelta", ", like = keras", 1, adadelta(0.95, 1e-7)},
      {"adadelta", ", like = optax", 1, adadelta(0.9, 1e-6)},
      {"rmsprop", "", 1e-4, rmsprop(0.9, 1e-6, Place::kInside)},
      {"rmsprop_outside", "", 1e-4, rmsprop(0.9, 1e-6, Place::kOutside)},
      {"rmsprop", ", like = torch", 1e-4, rmsprop(0.99, 1e-8, Place::kOutside)},
      {"rmsprop", ", like = keras", 1e-4, rmsprop(0.9, 1e-7, Place::kInside)},
      {"rmsprop", ", like = optax", 1e-4, rmsprop(0.9, 1e-8, Place::kInside)},
      {"rmsprop_centered", "", 1e-5, rmsprop_centered},
      {"rmsprop_nesterov", "", 1e-5, rmsprop_nesterov(1e-6)},
      {"rmsprop_nesterov_printed", "", 1e-5, rmsprop_nesterov(0)},
      {"adam", "", 0.002, adam(1e-8, 0)},
      {"adam", ", like = torch", 0.002, adam(1e-8, 0)},
      {"adam", ", like = optax", 0.002, adam(1e-8, 0)},
      {"adam", ", like = keras", 0.002, adam_hat(1e-7, 0)},
      {"adamw", "", 0.002, adam(1e-8, 1e-2)},
      {"adamw", ", like = torch", 0.002, adam(1e-8, 1e-2)},
      {"adamw", ", like = optax", 0.002, adam(1e-8, 1e-4)},
      {"adamw", ", like = keras", 0.002, adam_hat(1e-7, 4e-3)},
      {"nadam", "", 0.002, nadam({0.99, 1.0 / 250, 1e-8, true})},
      {"nadam", ", like = torch", 0.002, nadam({0.9, 4e-3, 1e-8, false})},
      {"nadam", ", like = keras", 0.002, nadam({0.9, 1, 1e-7, false})},
      {"nadam", ", like = optax", 0.002, nadam_optax},
      {"amsgrad", "", 0.002, amsgrad},
      {"amsgrad", ", like = torch", 0.002, amsgrad_torch},
      {"amsgrad", ", like = keras", 0.002, amsgrad_keras},
      {"amsgrad", ", like = optax", 0.002, amsgrad_optax},
      {"lion", "", 5e-4, lion(0)},
      {"lion", ", like = keras", 5e-4, lion(0)},
      {"lion", ", like = optax", 5e-4, lion(1e-3)},
      {"lamb", "", 0.001, lamb(1e-2)},
      {"lamb", ", like = optax", 0.001, lamb(0)},
  };
  return all;
}

}  // namespace dlg::testing
