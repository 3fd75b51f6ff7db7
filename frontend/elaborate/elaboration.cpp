#include "frontend/elaborate/elaboration.h"

#include <fmt/format.h>

#include <algorithm>

#include "support/check.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kAssignedTwice{DiagCode::AssignedTwice, Severity::kError,
                                           "`{}` already has a value"};

}  // namespace

Elaboration::Elaboration(const Sources& sources_in, const Library& library_in, Builder& builder_in,
                         Diagnostics& diagnostics_in, DType dtype_in)
    : sources(sources_in),
      library(library_in),
      builder(builder_in),
      diagnostics(&diagnostics_in),
      dtype(dtype_in) {
  Frame top;
  top.instance = instances.add({});
  frames.push_back(std::move(top));
}

bool Elaboration::is_std(SourceRange range) const {
  return range.is_valid() && sources.origin(range.file) == FileOrigin::kStd;
}

SourceRange Elaboration::user_place(SourceRange range) const {
  for (std::size_t i = frames.size(); is_std(range) && i-- > 0;) {
    if (frames[i].call.is_valid()) range = frames[i].call;
  }
  return range;
}

std::string Elaboration::std_note(SourceRange range) const {
  const std::string name = frame().name.empty() ? "std" : frame().name;
  return fmt::format("inside `{}`, {}: `{}`", name, sources.line_reference(range), sources.text(range));
}

void Elaboration::note_loss_of(SourceRange range) {
  if (!silent_at && !is_text_broken && !diagnostics->has_errors()) silent_at = user_place(range);
}

void Elaboration::check_reported(const Diagnostics& all) const {
  DLG_CHECK(all.has_errors() || !silent_at,
            silent_at->is_valid() ? fmt::format("{}: `{}` has no value and no error says why",
                                                sources.line_reference(*silent_at), sources.text(*silent_at))
                                  : "a value was lost and no error says why");
}

void Elaboration::label(Report& report, SourceRange range, const std::string& text) const {
  if (!range.is_valid()) return;
  if (is_std(range)) {
    report.note(fmt::format("{}: `{}` {}", sources.line_reference(range), sources.text(range), text));
  } else {
    report.label(range, text);
  }
}

void Elaboration::label_origin(Report& report, const Operand& operand) const {
  const SourceRange origin = operand.value.origin;
  if (!origin.is_valid() || origin == operand.range || is_std(origin)) return;
  report.label(origin, fmt::format("{} comes from here", kind_text(operand.value)));
}

OriginScope::OriginScope(Elaboration& e, SourceRange range) : e_(e), before_(e.builder.current_origin) {
  e.builder.current_origin = e.user_place(range);
}

OriginScope::~OriginScope() {
  e_.builder.current_origin = before_;
}

void start_step(Elaboration& e) {
  e.written.clear();
  e.draws.clear();
}

Frame frame_beside_models(const Elaboration& e, std::size_t unit) {
  Frame frame;
  frame.unit = unit;
  frame.instance = e.frames.front().instance;
  return frame;
}

InstanceId child_instance(Elaboration& e, InstanceId parent, const std::string& callee, CallSite site) {
  std::map<std::int64_t, InstanceId>& children = e.instances[parent].children[callee];
  const auto found = children.find(site.number);
  if (found != children.end()) return found->second;
  Instance instance;
  const std::string& path = e.instances[parent].path;
  instance.path = path.empty() ? callee : path + "." + callee;
  if (site.is_numbered) {
    instance.path += "[" + std::to_string(site.number) + "]";
    e.instances[parent].numbered.insert(callee);
  }
  const InstanceId id = e.instances.add(std::move(instance));
  e.instances[parent].children[callee][site.number] = id;
  return id;
}

CallSite call_site(Elaboration& e, ast::ExprId id) {
  const std::optional<FunctionId> function = e.frame().function;
  if (!function) return {};
  auto sites = e.call_sites.find(*function);
  if (sites == e.call_sites.end()) {
    const CallSites read(e.library.unit(function->unit), e.library.function(*function).body);
    sites = e.call_sites.emplace(*function, read).first;
  }
  return sites->second.at(id, e.expr(id).text, e.frame().rounds);
}

void record_name(Elaboration& e, const ast::Name& name, Value& value) {
  value.origin = name.range;
  Instance& instance = e.instances[e.frame().instance];
  Value outside = value;
  if (TensorValue* kept = std::get_if<TensorValue>(&outside.data)) forget_scope(kept->axes, e.frame().serial);
  instance.values.try_emplace(name.text, std::move(outside));
  const TensorValue* tensor = value.as<TensorValue>();
  if (!tensor) return;
  e.builder.set_name(tensor->id, name.text);
  const std::string path = instance.path.empty() ? name.text : instance.path + "." + name.text;
  if (!e.is_naming || e.is_std(name.range) || !e.named_before.insert(path).second) return;
  e.named.push_back({path, tensor->id, name.range});
}

void check_given_once(Elaboration& e, const ast::Name& name) {
  const auto known = e.frame().names.find(name.text);
  if (known == e.frame().names.end()) return;
  Report report = e.error(name.range, kAssignedTwice, name.text);
  if (known->second.origin.is_valid()) e.label(report, known->second.origin, "given here");
  report.note("names are given once; choose another name for the new value");
}

}  // namespace dlg
