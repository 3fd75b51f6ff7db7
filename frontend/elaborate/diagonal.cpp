#include "frontend/elaborate/diagonal.h"

#include "ir/ops/registry.h"

namespace dlg {

Expr on_diagonal(Expr square) {
  Builder& builder = *square.builder;
  const auto index = [&](std::int64_t axis) {
    return Expr{&builder,
                builder.add(ops::iota, {}, AlongAxis{axis}, TensorType{DType::kI32, square.shape()})};
  };
  return select(compare("==", index(0), index(1)), square, constant_like(square, 0));
}

}  // namespace dlg
