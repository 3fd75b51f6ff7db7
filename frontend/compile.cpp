#include "frontend/compile.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/blocks/check_block.h"
#include "frontend/blocks/data_block.h"
#include "frontend/blocks/overrides.h"
#include "frontend/blocks/race_block.h"
#include "frontend/blocks/train_block.h"
#include "frontend/blocks/whole_inputs.h"
#include "frontend/elaborate/names.h"
#include "frontend/elaborate/random_values.h"
#include "frontend/elaborate/settings.h"
#include "frontend/text/parser.h"
#include "ir/graph/rewriter.h"
#include "ir/graph/verify.h"
#include "ir/ops/ranges.h"
#include "support/arithmetic.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kBadUse{DiagCode::UnknownType, Severity::kError,
                                    "found `use {}`, expected `use f32` or `use f64`"};
constexpr Diag<> kTwoTrains{DiagCode::SeveralTrains, Severity::kError, "a program has one `train` block"};
constexpr Diag<std::string> kTooLarge{DiagCode::TooManyElements, Severity::kError,
                                      "found a value {}, expected at most 2^40 elements"};
constexpr Diag<std::string, std::int64_t, std::int64_t> kTooManyBytes{
    DiagCode::TooManyElements, Severity::kError,
    "found a value {} of {} bytes, more than the memory limit of {} bytes"};
constexpr Diag<std::string, std::string> kTwoFormals{DiagCode::DuplicateName, Severity::kError,
                                                     "`{}` has two arguments `{}`"};
constexpr Diag<std::string, std::size_t> kTooManyAxes{DiagCode::TooManyAxes, Severity::kError,
                                                      "found a value {}, expected at most {} axes"};
constexpr Diag<std::size_t> kTooManyOperations{DiagCode::TooManyOperations, Severity::kError,
                                               "the program has more than {} operations, the limit"};
constexpr Diag<std::int64_t> kTooManyCalls{DiagCode::TooManyOperations, Severity::kError,
                                           "the program makes more than {} calls of functions, the limit"};
constexpr Diag<> kNothing{DiagCode::MissingTrain, Severity::kError,
                          "the program has no `train`, `check` or `race` block, so there is nothing to do"};
constexpr Diag<std::string> kImportedBlock{DiagCode::ImportedBlock, Severity::kError,
                                           "`{}` does not belong into an imported file"};

DType file_dtype(const ast::File& file, Diagnostics& diagnostics) {
  if (!file.use) return DType::kF32;
  const std::optional<DType> dtype = parse_dtype(file.use->text);
  if (dtype && is_float(*dtype)) return *dtype;
  diagnostics.report(file.use->range, kBadUse, file.use->text);
  return DType::kF32;
}

std::string stem(std::string_view path) {
  const std::size_t slash = path.find_last_of("/\\");
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return std::string(path.substr(0, path.rfind('.')));
}

/// An imported file holds definitions.
void check_imported(const ast::File& file, Diagnostics& diagnostics) {
  const auto refuse = [&](SourceRange range, const std::string& word) {
    const auto size = static_cast<std::uint32_t>(word.size());
    diagnostics.report({range.file, range.begin, range.begin + size}, kImportedBlock, word);
  };
  if (file.use) diagnostics.report(file.use->range, kImportedBlock, "use");
  for (const ast::SettingsBlock& block : file.data) refuse(block.range, "data");
  for (const ast::SettingsBlock& block : file.trains) refuse(block.range, "train");
  for (const ast::CheckBlock& block : file.checks) refuse(block.range, "check");
  for (const ast::SettingsBlock& block : file.races) refuse(block.range, "race");
}

/// Takes the trees out of the request.
Library load_library(Sources& sources, CompileRequest& request, Diagnostics& diagnostics) {
  sources.share(request.library.sources);
  Library library(request.library);
  // A vector that grows would copy them.
  library.user_units.reserve(1 + request.imported.size());
  library.user_units.push_back(std::move(request.file));
  for (ast::File& imported : request.imported) {
    check_imported(imported, diagnostics);
    library.user_units.push_back(std::move(imported));
  }
  library.index(diagnostics);
  return library;
}

/// Every dim, const and setting as it stands in the text, overrides included.
void record_settings(const Sources& sources, const ast::File& file, CheckedProgram& program) {
  const auto add = [&](const std::string& key, ast::ExprId value) {
    program.settings.emplace_back(key, std::string(sources.text(file.exprs[value].range)));
  };
  for (const ast::Definition& definition : file.definitions) add(definition.name.text, definition.value);
  for (const ast::Function& function : file.functions) {
    for (const ast::Statement& statement : function.body) {
      const bool is_const = statement.kind == ast::StatementKind::kDeclare && statement.keyword == "const";
      if (is_const && statement.value.is_valid()) {
        add(function.name.text + "." + statement.names.front().text, statement.value);
      }
    }
  }
  for (const ast::SettingsBlock& block : file.data) {
    for (const ast::Setting& setting : block.settings) {
      add(block.name.text + "." + setting.key.text, setting.value);
    }
  }
  for (const ast::SettingsBlock& block : file.trains) {
    for (const ast::Setting& setting : block.settings) add(setting.key.text, setting.value);
  }
}

/// Dead nodes go (alternatives that elaboration left behind); named values keep theirs.
void compact_program(CheckedProgram& program) {
  const std::size_t outputs = program.graph.outputs.size();
  for (const NamedValue& named : program.values) program.graph.outputs.push_back({"", named.value});
  program.graph = compact(program.graph);
  for (std::size_t i = 0; i < program.values.size(); ++i) {
    program.values[i].value = program.graph.outputs[outputs + i].value;
  }
  program.graph.outputs.resize(outputs);
}

void set_batch(CheckedProgram& program, std::int64_t rows) {
  program.graph.batch = std::max<std::int64_t>(rows, 1);
  if (!program.training || !program.training->batch) return;
  const std::int64_t batch = *program.training->batch;
  program.graph.batch = rows == 0 ? batch : std::min(batch, rows);
}

std::int64_t used_rows(const Elaboration& e) {
  for (const DeclaredData& data : e.data) {
    if (data.is_used) return data.rows;
  }
  return 0;
}

/// One run over the whole program. Answers whether another run has to know `integer_fields`.
bool elaborate(Elaboration& e, const CompileRequest& request, CheckedProgram& program) {
  const std::optional<std::size_t> race = request.race;
  const ast::File& file = e.library.unit(0);
  for (std::size_t i = 0; i < file.definitions.size(); ++i) definition(e, 0, i);
  declare_data(e);
  if (!file.trains.empty()) elaborate_train(e, file.trains.front(), program);
  if (race) elaborate_race(e, file.races[*race], program);
  if (!race && e.mode == ProgramMode::kTraining) elaborate_checks(e, program);
  if (request.seed && program.training) program.training->seed = *request.seed;
  finish_draws(e, program.training ? program.training->seed : 1);
  program.data = finish_data(e);
  if (e.mode == ProgramMode::kTraining) program.values = e.named;
  return e.wants_restart;
}

/// The blocks that a program has once, or at least one of.
void check_blocks(const ast::File& file, Diagnostics& diagnostics) {
  for (std::size_t i = 1; i < file.trains.size(); ++i) {
    diagnostics.report(file.trains[i].range, kTwoTrains).label(file.trains.front().range, "the first one");
  }
  const bool has_something = !file.trains.empty() || !file.checks.empty() || !file.races.empty();
  if (!has_something && !diagnostics.has_errors()) diagnostics.report({file.file, 0, 0}, kNothing);
}

/// Two formals of one name would be one.
void check_formals(const ast::Name& owner, const std::vector<ast::Formal>& formals,
                   Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < formals.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (formals[i].name.text != formals[k].name.text) continue;
      diagnostics.report(formals[i].name.range, kTwoFormals, owner.text, formals[i].name.text)
          .label(formals[k].name.range, "the first one");
      break;
    }
  }
}

void check_signatures(const ast::File& file, Diagnostics& diagnostics) {
  for (const ast::Function& function : file.functions) {
    check_formals(function.name, function.formals, diagnostics);
  }
  for (const ast::Optimizer& optimizer : file.optimizers) {
    check_formals(optimizer.name, optimizer.formals, diagnostics);
  }
}

/// Everything else that was found follows from what was left out.
void report_too_large(const Elaboration& e, Diagnostics& diagnostics) {
  if (e.calls > kMostCalls) {
    diagnostics.report(*e.too_large_at, kTooManyCalls, kMostCalls);
  } else {
    diagnostics.report(*e.too_large_at, kTooManyOperations, kMostOperations);
  }
}

void merge(const Diagnostics& from, Diagnostics& into) {
  for (const Diagnostic& diagnostic : from.all()) into.add(diagnostic);
}

/// The elements, if they can be counted and placed.
std::optional<std::int64_t> countable_elements(const Shape& shape, std::int64_t batch) {
  std::int64_t elements = 1;
  for (const std::int64_t dim : shape.dims()) {
    const std::optional<std::int64_t> product = checked_mul(elements, dim == kBatch ? batch : dim);
    if (!product || *product > kMostElements) return std::nullopt;
    elements = *product;
  }
  return elements;
}

/// "`W` f32[3, 4]"; a value without a name is its type.
std::string value_text(const Graph& graph, ValueId id) {
  const std::string type = type_text(graph.type(id));
  return graph.name(id).empty() ? type : fmt::format("`{}` {}", graph.name(id), type);
}

/// Reports a value with too many axes or elements, or more bytes than there are; answers whether it did.
bool report_size(const Graph& graph, ValueId id, std::int64_t memory_limit, Diagnostics& diagnostics) {
  const TensorType& type = graph.type(id);
  const std::vector<SourceRange>& origins = graph.infos[id].origins;
  const SourceRange range = origins.empty() ? SourceRange{} : origins.front();
  if (type.shape.rank() - (type.shape.has_batch() ? 1 : 0) > kMostAxes) {
    diagnostics.report(range, kTooManyAxes, type_text(type), kMostAxes);
    return true;
  }
  const std::optional<std::int64_t> elements = countable_elements(type.shape, graph.batch);
  if (!elements) {
    diagnostics.report(range, kTooLarge, type_text(type));
    return true;
  }
  const std::int64_t bytes = *elements * dtype_bytes(type.dtype);
  if (bytes <= memory_limit) return false;
  diagnostics.report(range, kTooManyBytes, value_text(graph, id), bytes, memory_limit);
  return true;
}

}  // namespace

bool check_sizes(const Graph& graph, std::int64_t memory_limit, Diagnostics& diagnostics) {
  std::vector<char> is_large(graph.nodes.size(), 0);
  bool is_good = true;
  for (const ValueId id : graph.nodes.ids()) {
    const std::vector<ValueId>& operands = graph[id].operands;
    const bool is_follower = std::any_of(operands.begin(), operands.end(),
                                         [&](ValueId operand) { return is_large[operand.index] != 0; });
    const bool is_bad = is_follower || report_size(graph, id, memory_limit, diagnostics);
    is_large[id.index] = is_bad ? 1 : 0;
    is_good = is_good && !is_bad;
  }
  return is_good;
}

namespace {

/// Runs over one program.
class Runs {
 public:
  Runs(Sources& sources, const Library& library, const CompileRequest& request, DType dtype,
       Diagnostics& diagnostics)
      : sources_(sources), library_(library), request_(request), dtype_(dtype), diagnostics_(diagnostics) {}

  /// The program in one mode, names and checks only in training. nullopt after errors, each reported once.
  std::optional<CheckedProgram> run(ProgramMode mode);
  /// Whether the other mode makes another graph.
  bool has_modes() const { return has_modes_; }

 private:
  Sources& sources_;
  const Library& library_;
  const CompileRequest& request_;
  DType dtype_;
  Diagnostics& diagnostics_;
  std::set<std::string> integer_fields_;  // that some use wants as i32
  bool has_modes_ = false;
};

std::optional<CheckedProgram> Runs::run(ProgramMode mode) {
  while (true) {
    CheckedProgram program;
    program.dtype = dtype_;
    program.name = stem(sources_.name(library_.unit(0).file));
    Builder builder(program.graph);
    Diagnostics found;
    Elaboration e(sources_, library_, builder, found, dtype_);
    e.mode = mode;
    e.integer_fields = integer_fields_;
    const bool is_again = elaborate(e, request_, program);
    if (e.too_large_at) {
      report_too_large(e, diagnostics_);
      return std::nullopt;
    }
    if (is_again && e.integer_fields != integer_fields_) {
      integer_fields_ = e.integer_fields;
      continue;
    }
    merge(found, diagnostics_);
    e.check_reported(diagnostics_);
    if (diagnostics_.has_errors()) return std::nullopt;
    has_modes_ = e.has_modes;
    set_batch(program, used_rows(e));
    compact_program(program);
    limit_inputs(program.graph);
    limit_whole_inputs(program);
    check_sizes(program.graph, request_.memory_limit, diagnostics_);
    if (program.whole) check_sizes(*program.whole, request_.memory_limit, diagnostics_);
    if (diagnostics_.has_errors()) return std::nullopt;
    return program;
  }
}

/// A field that only the evaluation reads is read from the data all the same.
void add_evaluation(CheckedProgram& program, CheckedProgram evaluation) {
  for (const Input& input : evaluation.graph.inputs) {
    if (program.graph.find_input(input.path) == nullptr) program.graph.inputs.push_back(input);
  }
  program.evaluation = std::move(evaluation.graph);
  program.whole = std::move(evaluation.whole);
}

}  // namespace

std::optional<CheckedProgram> compile_program(Sources& sources, CompileRequest request,
                                              Diagnostics& diagnostics) {
  if (request.race) expand_race(request.file, *request.race, diagnostics);
  apply_overrides(sources, request.file, request.overrides, diagnostics);
  if (request.race) add_first_rule(request.file, *request.race);
  const Library library = load_library(sources, request, diagnostics);
  const ast::File& file = library.unit(0);
  check_blocks(file, diagnostics);
  check_signatures(file, diagnostics);
  Runs runs{sources, library, request, file_dtype(file, diagnostics), diagnostics};
  std::optional<CheckedProgram> program = runs.run(ProgramMode::kTraining);
  if (!program) return std::nullopt;
  record_settings(sources, file, *program);
  // A race measures nothing but its objective.
  if (runs.has_modes() && program->training && !request.race) {
    std::optional<CheckedProgram> evaluation = runs.run(ProgramMode::kEvaluation);
    if (!evaluation) return std::nullopt;
    add_evaluation(*program, *std::move(evaluation));
  }
  return program;
}

std::optional<CheckedProgram> compile_program(Sources& sources, const ast::File& file,
                                              const std::vector<Override>& overrides,
                                              Diagnostics& diagnostics, const StandardLibrary& library) {
  return compile_program(sources, {.file = file, .overrides = overrides, .library = library}, diagnostics);
}

}  // namespace dlg
