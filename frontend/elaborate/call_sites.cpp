#include "frontend/elaborate/call_sites.h"

#include <algorithm>
#include <utility>

#include "support/arithmetic.h"

namespace dlg {
namespace {

std::int64_t count_of(const RoundsByRepeat& rounds, ast::ExprId repeat) {
  const auto found = rounds.find(repeat);
  return found == rounds.end() ? 1 : found->second.count;
}

std::int64_t done_of(const RoundsByRepeat& rounds, ast::ExprId repeat) {
  const auto found = rounds.find(repeat);
  return found == rounds.end() ? 0 : found->second.done;
}

/// How many calls `repeats` make of one that stands in them, from the n-th of them on.
std::int64_t calls_within(const std::vector<ast::ExprId>& repeats, std::size_t n,
                          const RoundsByRepeat& rounds) {
  std::int64_t calls = 1;
  for (std::size_t i = n; i < repeats.size(); ++i) calls = saturated_mul(calls, count_of(rounds, repeats[i]));
  return calls;
}

}  // namespace

CallSites::CallSites(const ast::File& file, const std::vector<ast::Statement>& body) {
  for (const ast::Statement& statement : body) {
    if (!statement.value.is_valid()) continue;
    if (statement.kind != ast::StatementKind::kShare) {
      collect(file, statement.value);
      continue;
    }
    // What is shared is called by the name that it gets.
    const ast::Expr& layer = file.exprs[statement.value];
    for (const ast::Argument& argument : layer.arguments) collect(file, argument.value);
  }
  for (auto& [callee, row] : rows_) {
    std::sort(row.sites.begin(), row.sites.end(), [&](const Site& a, const Site& b) {
      return file.exprs[a.callee].range.begin < file.exprs[b.callee].range.begin;
    });
    for (std::size_t i = 0; i < row.sites.size(); ++i) places_[row.sites[i].callee] = i;
    while (row.plain < row.sites.size() && row.sites[row.plain].repeats.empty()) ++row.plain;
  }
}

/// What stands before `(`, and bare names after `|>`.
void CallSites::collect(const ast::File& file, ast::ExprId root) {
  std::vector<Site> open{{root, {}}};
  const auto found = [&](ast::ExprId callee, const std::vector<ast::ExprId>& repeats) {
    rows_[file.exprs[callee].text].sites.push_back({callee, repeats});
  };
  while (!open.empty()) {
    const auto [id, repeats] = std::move(open.back());
    open.pop_back();
    if (!id.is_valid()) continue;
    const ast::Expr& expr = file.exprs[id];
    if (expr.kind == ast::ExprKind::kCall) found(expr.args[0], repeats);
    const bool is_pipe = expr.kind == ast::ExprKind::kPipe;
    if (is_pipe && file.exprs[expr.args[1]].kind == ast::ExprKind::kName) found(expr.args[1], repeats);
    const bool is_repeat = expr.kind == ast::ExprKind::kRepeat;
    for (std::size_t i = 0; i < expr.args.size(); ++i) {
      open.push_back({expr.args[i], repeats});
      if (is_repeat && i == 2) open.back().repeats.push_back(id);
    }
    for (const ast::Argument& argument : expr.arguments) open.push_back({argument.value, repeats});
  }
}

CallSite CallSites::at(ast::ExprId id, const std::string& callee, const RoundsByRepeat& rounds) const {
  const auto place = places_.find(id);
  const auto row = rows_.find(callee);
  if (place == places_.end() || row == rows_.end()) return {};
  const std::vector<Site>& sites = row->second.sites;
  const std::vector<ast::ExprId>& around = sites[place->second].repeats;
  CallSite site{static_cast<std::int64_t>(place->second), sites.size() > 1 || !around.empty()};
  if (place->second < row->second.plain) return site;
  site.number = 0;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const std::vector<ast::ExprId>& repeats = sites[i].repeats;
    std::size_t common = 0;
    // In the rounds that are over of what is around both.
    while (common < around.size() && common < repeats.size() && around[common] == repeats[common]) {
      const std::int64_t each = calls_within(repeats, common + 1, rounds);
      site.number = saturated_add(site.number, saturated_mul(done_of(rounds, repeats[common]), each));
      ++common;
    }
    // In this round.
    if (i < place->second) site.number = saturated_add(site.number, calls_within(repeats, common, rounds));
  }
  return site;
}

}  // namespace dlg
