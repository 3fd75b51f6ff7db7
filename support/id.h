// Owns the strong ids that name things in flat storage, and the vector that such an id indexes.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

namespace dlg {

/// A 4-byte index into one IdVector. Ids of different tags do not mix; the default id names nothing.
template <class Tag>
struct Id {
  static constexpr std::uint32_t kNone = 0xffffffffu;

  std::uint32_t index = kNone;

  bool is_valid() const { return index != kNone; }
  friend auto operator<=>(Id, Id) = default;
};

/// A vector indexed by one kind of id; `add` hands out ids in ascending order. References to items stay valid
/// while it grows: rules hold on to types and attributes of nodes while they add nodes.
template <class IdType, class T>
class IdVector {
 public:
  IdVector() = default;
  explicit IdVector(std::size_t count, T value = T()) : items_(count, value) {}

  IdType add(T item) {
    items_.push_back(std::move(item));
    return IdType{static_cast<std::uint32_t>(items_.size() - 1)};
  }

  T& operator[](IdType id) { return items_[id.index]; }
  const T& operator[](IdType id) const { return items_[id.index]; }

  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  void resize(std::size_t count, T value = T()) { items_.resize(count, value); }

  /// The ids from first to last, for range-for.
  std::vector<IdType> ids() const {
    std::vector<IdType> all(items_.size());
    for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = IdType{i};
    return all;
  }

  auto begin() { return items_.begin(); }
  auto end() { return items_.end(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }

 private:
  std::deque<T> items_;
};

}  // namespace dlg

template <class Tag>
struct std::hash<dlg::Id<Tag>> {
  std::size_t operator()(dlg::Id<Tag> id) const noexcept { return std::hash<std::uint32_t>{}(id.index); }
};
