#include "ir/graph/attributes.h"

#include <algorithm>
#include <functional>

#include "support/hash.h"

namespace dlg {
namespace {

std::size_t hash_value(double value) {
  return std::bit_cast<std::uint64_t>(value);
}

std::size_t hash_value(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

std::size_t hash_value(Relation relation) {
  return static_cast<std::size_t>(relation);
}

std::size_t hash_value(const std::string& text) {
  return std::hash<std::string>{}(text);
}

std::size_t hash_value(const ContractLabels& labels) {
  return hash_value(contract_text(labels));
}

template <class Element>
std::size_t hash_value(const std::vector<Element>& elements) {
  std::size_t seed = elements.size();
  for (const Element element : elements) mix_hash(seed, hash_value(element));
  return seed;
}

}  // namespace

bool same_attribute(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](double x, double y) { return same_attribute(x, y); });
}

std::size_t hash_of(const Attributes& attributes) {
  std::size_t seed = attributes.index();
  const auto mix_fields = [&seed](const auto& said) {
    std::apply([&](const auto&... field) { (mix_hash(seed, hash_value(said.*field.member)), ...); },
               said.fields());
  };
  std::visit(mix_fields, attributes);
  return seed;
}

}  // namespace dlg
