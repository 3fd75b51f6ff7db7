// Owns the state of one elaboration: the trees, the graph under construction, the open calls, the instances,
// and how errors find their place in the user's text.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "frontend/checked_program.h"
#include "frontend/elaborate/call_sites.h"
#include "frontend/elaborate/library.h"
#include "frontend/elaborate/values.h"
#include "ir/graph/builder.h"
#include "support/diagnostic.h"

namespace dlg {

/// A layer, shared layer or model in use: its parameters exist once, however often it is applied.
struct Instance {
  std::string path;                     // `mlp.dense[0]`; empty for the program itself
  std::map<std::string, Value> values;  // its names, of the first application
  std::map<std::string, std::map<std::int64_t, InstanceId>> children;  // by callee and number in the text
  std::set<std::string> numbered;                                      // callees of which there are several
  std::optional<Value> result;                                         // of the first application
  bool is_failed = false;  // never elaborated for an error above: nothing is known of its members
};

/// A `state` of a model in one call.
struct StateInCall {
  StateId id;
  ast::Name declared;
  bool is_written = false;
};

/// What `training` says. Where a program asks, its evaluation is another graph.
enum class ProgramMode { kTraining, kEvaluation };

/// One open call, or the top level of a file.
struct Frame {
  std::size_t unit = 0;
  std::optional<FunctionId> function;
  std::string name;  // of the function
  SourceRange call;  // where it was called
  std::map<std::string, Value> names;
  std::map<std::string, SourceRange> given;  // where the caller wrote the arguments, by name
  std::map<std::string, Axis> axes;          // variables of the signature
  std::optional<Axes> rest;                  // `[...]`
  InstanceId instance;
  RoundsByRepeat rounds;
  std::map<std::string, StateInCall> states;  // by name
  bool is_in_model = false;                   // may declare parameters
  int serial = 0;                             // scope of the names that plain axes get in this call
};

/// A field as its data block declares it; its element type follows from its use.
struct DeclaredField {
  Field field;
  Axes axes;
  std::optional<DType> dtype;  // of its input, once it is used
  bool is_open = false;        // an array whose axes follow from its first use
  bool is_used = false;
  bool is_bad = false;  // has an error of its own
};

struct DeclaredData {
  Dataset dataset;
  std::vector<DeclaredField> fields;
  Batching batching = Batching::kPerSample;  // kShared: the rows are the first of the axes
  std::int64_t rows = 0;                     // written in place; 0 without
  bool is_used = false;
};

/// Limits of what one program may become, so that compiling it takes seconds and not hours.
inline constexpr std::size_t kMostOperations = 20'000;
inline constexpr std::int64_t kMostCalls = 100'000;

/// What a training measures and its schedules may look at.
struct Measurable {
  std::vector<Metric> metrics;         // of the parts of the data, beside their loss
  WatchedValue judged = {"", "loss"};  // what the first plateau in `stop` watches, else the loss
};

/// What an argument of a rule is evaluated with, `cosine(1e-3, warmup = 2 epochs)`.
struct RateSchedule {
  /// `step`, `epoch`, `epoch_steps`, `last_step`: the same in all functions that the argument calls.
  std::function<std::optional<Value>(const std::string& name)> moment;
  /// Takes a number in the argument's own text, which stands `frames` calls deep, and answers what stands
  /// for it: a run-time input, or the number itself.
  std::function<Value(const NumberValue& number)> as_input;
  std::size_t frames = 0;
  bool is_read = false;   // the moment was: the value is another one in another step
  bool is_trial = false;  // with numbers, in a rule whose step will have inputs for them
};

/// What there is inside of an optimizer's rule only.
struct RuleElaboration {
  RuleBuilder& builder;
  std::function<Value(Value gradient, const Value& points)> treat_gradient;  // before the rule gets it
  std::function<Value(Value matrix)> treat_hessian;                          // the same
  std::vector<MeasuredInput> measured = {};                                  // by the schedules of the rule
};

class WholePart;

struct Elaboration {
  Elaboration(const Sources& sources_in, const Library& library_in, Builder& builder_in,
              Diagnostics& diagnostics_in, DType dtype_in);

  const Sources& sources;
  const Library& library;
  Builder& builder;
  Diagnostics* diagnostics;  // a candidate of an overload is tried with a sink of its own
  DType dtype;               // of the file: f32 or f64

  std::vector<Frame> frames;  // the first is the top level of the user's file
  IdVector<InstanceId, Instance> instances;
  IdVector<SharedLayerId, SharedLayer> shared_layers;
  std::map<FunctionId, InstanceId> models;
  std::map<std::pair<std::size_t, std::size_t>, std::optional<Value>> definitions;  // nullopt: being computed
  std::map<FunctionId, CallSites> call_sites;
  std::vector<DeclaredData> data;
  std::set<std::string> integer_fields;  // fields that some use wants as i32
  bool wants_restart = false;            // a field was taken as float before a use as i32 was seen

  std::vector<NamedValue> named;
  bool is_naming = true;  // off behind `minimize`: metrics and checks add no named values
  std::set<std::string> named_before;
  std::vector<std::pair<std::string, Value>> applied;  // models applied outside of other models, in order
  ProgramMode mode = ProgramMode::kTraining;
  bool has_modes = false;                      // it asks which, or has states of models
  std::map<StateId, TensorValue> written;      // what states of models have become so far in this step
  std::map<std::string, int> draws;            // how often each stream was drawn from so far in this step
  std::map<std::string, SourceRange> streams;  // of random values, where each is drawn first
  bool is_sample = false;                      // what is drawn belongs to samples, not to rows of the data
  std::optional<Value> loss;
  std::optional<Axes> initialised;            // axes of the parameter whose initial value is being computed
  RuleElaboration* rule = nullptr;            // of an optimizer that is elaborated
  Measurable measurable;                      // of the training whose rule is elaborated
  std::optional<RateSchedule> rate_schedule;  // while an argument of a rule is evaluated
  WholePart* whole = nullptr;      // while a metric is evaluated that may be a call of a `whole fn`
  bool is_whole = false;           // all this is the body of one: the rows are an axis
  ast::ExprId after_call;          // the `after(...)` that may stand where an expectation is elaborated
  std::optional<UnitValue> after;  // its first argument
  int depth = 0;
  bool is_too_deep = false;  // reported once: what is around the place is as deep
  int next_serial = 1;
  std::int64_t calls = 0;                   // of functions, made so far
  std::optional<SourceRange> too_large_at;  // where there were too many operations: the rest is left out
  bool is_text_broken = false;              // what the parser could not read was asked for, and it said so
  std::optional<SourceRange> silent_at;     // where a value was lost and nothing had been reported yet

  Frame& frame() { return frames.back(); }
  const Frame& frame() const { return frames.back(); }
  const ast::File& unit() const { return library.unit(frame().unit); }
  const ast::Expr& expr(ast::ExprId id) const { return unit().exprs[id]; }

  /// `range`, or the user's call if it lies in std.
  SourceRange user_place(SourceRange range) const;
  bool is_std(SourceRange range) const;

  /// Reports at the user's place, with a note into std where the range lies there.
  template <class... Args>
  Report error(SourceRange range, const Diag<Args...>& diag, const std::type_identity_t<Args>&... args) {
    Report report = diagnostics->report(user_place(range), diag, args...);
    if (is_std(range)) report.note(std_note(range));
    return report;
  }
  /// Remembers the place of a lost value (a poison, or what should have been one) that no error explains yet.
  void note_loss_of(SourceRange range);
  /// A value that is lost without an error would leave a program that means something else: dlg is wrong
  /// then, never the user. `all` holds everything that was reported.
  void check_reported(const Diagnostics& all) const;
  /// Labels a range of the user's text; one of std becomes a note.
  void label(Report& report, SourceRange range, const std::string& text) const;
  /// Labels the place where a value got its name, unless that is `use` itself.
  void label_origin(Report& report, const Operand& operand) const;

 private:
  std::string std_note(SourceRange range) const;
};

/// While it lives, nodes get `range` as origin (the user's call for a range of std).
class OriginScope {
 public:
  OriginScope(Elaboration& e, SourceRange range);
  ~OriginScope();
  OriginScope(const OriginScope&) = delete;
  OriginScope& operator=(const OriginScope&) = delete;

 private:
  Elaboration& e_;
  SourceRange before_;
};

/// What is evaluated from here on finds states of models as at the start of a step, and draws what the first
/// applications draw.
void start_step(Elaboration& e);

/// A frame of what no model calls, as an optimizer or a constant: layers that are called there stand beside
/// the models.
Frame frame_beside_models(const Elaboration& e, std::size_t unit);

/// The child `callee` number `site` of an instance, made on first sight.
InstanceId child_instance(Elaboration& e, InstanceId parent, const std::string& callee, CallSite site);

/// Where the callee expression `id` stands in the text of the function of the open call.
CallSite call_site(Elaboration& e, ast::ExprId id);

/// Reports a name that has a value in the open call already.
void check_given_once(Elaboration& e, const ast::Name& name);

/// Names the value's node and, in the user's own text, lists it as NamedValue under the instance's path.
void record_name(Elaboration& e, const ast::Name& name, Value& value);

}  // namespace dlg
