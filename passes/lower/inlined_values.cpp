#include "passes/lower/inlined_values.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <vector>

#include "passes/lower/batch_innermost.h"
#include "passes/lower/element_lowering.h"

namespace dlg {
namespace {

/// Runs one element rule, and answers what `question` asks of the lowering.
template <class Question>
auto of_element_rule(const Graph& graph, ValueId value, const Question& question) {
  KernelBuilder builder;
  ElementLowering lowering(
      graph, builder, [&](ValueId other) { return other == value; }, load_without_memory(graph));
  domain_nest(builder, graph.type(value).shape, {}, [&](const Indices& at) { lowering.element(value, at); });
  return std::invoke(question, lowering);
}

/// A scalar made by one instruction from leaves: cheaper done again than stored and loaded.
bool is_scalar_of_leaves(const Graph& graph, ValueId value) {
  const Node& node = graph[value];
  return node.type.shape.rank() == 0 &&
         std::all_of(node.operands.begin(), node.operands.end(),
                     [&](ValueId operand) { return is<Leaf>(*graph[operand].op); });
}

}  // namespace

bool is_view(const Graph& graph, ValueId value) {
  if (!is<Map>(*graph[value].op)) return false;
  const std::int64_t work = of_element_rule(graph, value, &ElementLowering::work);
  return work == 0 || (work == 1 && is_scalar_of_leaves(graph, value));
}

bool is_elementary(const Graph& graph, ValueId value) {
  return is<Map>(*graph[value].op) && of_element_rule(graph, value, &ElementLowering::has_function);
}

namespace {

/// Whether none of `users` may ask for an element again and again, as a contraction does.
bool is_read_once_each(const Graph& graph, const std::vector<ValueId>& users) {
  return std::none_of(users.begin(), users.end(),
                      [&](ValueId user) { return is<Nest>(*graph[user].op) || is_view(graph, user); });
}

/// Finds what is made of a contraction's elements and of what many of them share with one quick instruction,
/// as an image without its mean: where the contraction is stored anyway, because the batch is summed up, and
/// is read by several, nobody has to store and load the difference.
class QuickDifferences {
 public:
  explicit QuickDifferences(const Graph& graph)
      : graph_(graph), is_at_work_(keeps_batch_innermost(graph)), users_(users_of(graph)) {}

  bool has(ValueId value, const IdVector<ValueId, char>& is_inlined) const {
    if (!is_at_work_ || !is<Map>(*graph_[value].op) || users_[value].size() < 2) return false;
    int stored = 0;
    for (const ValueId operand : graph_[value].operands) {
      if (is_inlined[operand]) continue;
      if (!is_stored_contraction(operand) || graph_.type(operand) != graph_.type(value)) return false;
      ++stored;
    }
    return stored == 1 && is_read_once_each(graph_, users_[value]) && is_quick(value);
  }

 private:
  bool is_stored_contraction(ValueId value) const {
    const auto is_batch_sum = [&](ValueId user) {
      return is<Reduce>(*graph_[user].op) && !graph_.type(user).shape.has_batch();
    };
    return is<Nest>(*graph_[value].op) && graph_.type(value).shape.has_batch() &&
           std::any_of(users_[value].begin(), users_[value].end(), is_batch_sum);
  }

  bool is_quick(ValueId value) const {
    return of_element_rule(graph_, value, &ElementLowering::work) == 1 &&
           !of_element_rule(graph_, value, &ElementLowering::is_slow);
  }

  const Graph& graph_;
  bool is_at_work_;
  IdVector<ValueId, std::vector<ValueId>> users_;
};

/// Finds marks, as of the elements of a window that are its largest: a few instructions on what is stored
/// anyway, with a sum over them and other readers that cannot be one kernel. All of them make the marks
/// again.
class QuickMarks {
 public:
  using MayBe = std::function<bool(ValueId)>;

  explicit QuickMarks(const Graph& graph) : graph_(graph), users_(users_of(graph)) {}

  /// What is done on the spot, of what `may_be`: marks, and what they alone are made of.
  IdVector<ValueId, char> find(const MayBe& may_be) const {
    IdVector<ValueId, char> found(graph_.nodes.size(), 0);
    if (!keeps_batch_innermost(graph_)) return found;
    for (const ValueId value : graph_.nodes.ids()) {
      if (!has_readers_of_marks(value)) continue;
      const std::set<ValueId> made = made_on_the_spot(value);
      if (!std::all_of(made.begin(), made.end(), may_be)) continue;
      for (const ValueId one : made) found[one] = 1;
    }
    return found;
  }

 private:
  static constexpr std::int64_t kMostWork = 4;

  bool has_readers_of_marks(ValueId value) const {
    const std::vector<ValueId>& users = users_[value];
    const auto is_sum = [&](ValueId user) { return is<Reduce>(*graph_[user].op); };
    return is<Map>(*graph_[value].op) && users.size() > 1 && !is_view(graph_, value) &&
           std::any_of(users.begin(), users.end(), is_sum) && is_read_once_each(graph_, users);
  }

  /// `mark` and what it alone is made of; empty if that is much work, or of what nobody stores.
  std::set<ValueId> made_on_the_spot(ValueId mark) const {
    std::set<ValueId> made;
    std::set<ValueId> seen{mark};
    std::set<ValueId> open{mark};
    std::int64_t work = 0;
    const auto is_made = [&](ValueId value) {
      return value == mark || std::all_of(users_[value].begin(), users_[value].end(),
                                          [&](ValueId user) { return seen.contains(user); });
    };
    // Readers come behind what they read: from the last to the first, all of them are known.
    while (!open.empty()) {
      const ValueId value = *std::prev(open.end());
      open.erase(value);
      if (is<Leaf>(*graph_[value].op)) continue;
      const bool is_of_mark = is<Map>(*graph_[value].op) && is_made(value);
      const bool is_read_through = is<Map>(*graph_[value].op) && is_view(graph_, value);
      if (!is_of_mark && !is_read_through) {
        if (!is_read_by_loops(value, seen)) return {};
        continue;
      }
      if (is_of_mark) seen.insert(value);
      open.insert(graph_[value].operands.begin(), graph_[value].operands.end());
      if (is_read_through) continue;
      made.insert(value);
      work += of_element_rule(graph_, value, &ElementLowering::work);
      if (work > kMostWork || of_element_rule(graph_, value, &ElementLowering::is_slow)) return {};
    }
    return made;
  }

  /// Whether loops read it that are no part of `marks`, directly or through views: then it is stored. Views
  /// stand behind one another at most as deep as the graph is long.
  bool is_read_by_loops(ValueId value, const std::set<ValueId>& marks) const {
    std::vector<ValueId> open{value};
    while (!open.empty()) {
      const ValueId at = open.back();
      open.pop_back();
      for (const ValueId user : users_[at]) {
        if (!is<Map>(*graph_[user].op) && !marks.contains(user)) return true;
        if (is<Map>(*graph_[user].op) && is_view(graph_, user)) open.push_back(user);
      }
    }
    return false;
  }

  const Graph& graph_;
  IdVector<ValueId, std::vector<ValueId>> users_;
};

}  // namespace

IdVector<ValueId, char> inlined_views(const Graph& graph, const std::function<bool(ValueId)>& may_be) {
  IdVector<ValueId, char> is_inlined(graph.nodes.size(), 0);
  IdVector<ValueId, std::size_t> depth(graph.nodes.size(), 0);
  const QuickDifferences differences(graph);
  const IdVector<ValueId, char> is_mark = QuickMarks(graph).find(may_be);
  const auto is_done_on_the_spot = [&](ValueId value) {
    return is_view(graph, value) || is_mark[value] != 0 || differences.has(value, is_inlined);
  };
  for (const ValueId value : graph.nodes.ids()) {
    if (!may_be(value) || !is_done_on_the_spot(value)) continue;
    std::size_t behind = 0;
    for (const ValueId operand : graph[value].operands) behind = std::max(behind, depth[operand]);
    if (behind == kMostViews) continue;
    depth[value] = behind + 1;
    is_inlined[value] = 1;
  }
  return is_inlined;
}

}  // namespace dlg
