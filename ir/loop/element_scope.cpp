#include "ir/loop/element_scope.h"

namespace dlg::loop {

Scalar operator+(Scalar a, Scalar b) {
  return a.scope->emit(Op::kAdd, {a, b});
}

Scalar operator-(Scalar a, Scalar b) {
  return a.scope->emit(Op::kSub, {a, b});
}

Scalar operator*(Scalar a, Scalar b) {
  return a.scope->emit(Op::kMul, {a, b});
}

Scalar operator/(Scalar a, Scalar b) {
  return a.scope->emit(Op::kDiv, {a, b});
}

Scalar operator-(Scalar a) {
  return a.scope->emit(Op::kNeg, {a});
}

Index fixed_index(std::int64_t offset) {
  Index index;
  index.offset = offset;
  return index;
}

Index index_of(VarId var) {
  Index index;
  index.terms.push_back({var, 1});
  return index;
}

Index shifted(Index index, std::int64_t offset) {
  index.offset += offset;
  return index;
}

void add_scaled(Index& sum, const Index& index, std::int64_t factor) {
  if (factor == 0) return;
  for (const Index::Term& term : index.terms) sum.terms.push_back({term.var, term.factor * factor});
  if (index.dynamic.is_valid()) sum.dynamic = index.dynamic;
  sum.offset += index.offset * factor;
}

}  // namespace dlg::loop
