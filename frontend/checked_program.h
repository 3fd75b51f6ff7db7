// Owns what the frontend makes of a file: the forward graph with names, data, training and checks, all shapes
// known.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph/graph.h"
#include "ir/graph/update_rule.h"
#include "support/source.h"

namespace dlg {

enum class CsvHeader { kNone, kFirstLine };

/// The contents of quotes in the program.
struct QuotedText {
  std::string text;
  SourceRange range;  // with the quotes
};

/// What `file`, `val` or `test` of a data block names.
struct DataFile {
  enum class Kind { kCsv, kIdx, kImages };
  Kind kind = Kind::kCsv;
  std::vector<QuotedText>
      paths;  // relative to the .dlg file; kIdx: images, perhaps labels; kImages: a pattern
  CsvHeader header = CsvHeader::kFirstLine;
  SourceRange range;  // of the call
};

/// Where a field's numbers come from.
struct FieldSource {
  enum class Kind { kInline, kColumns, kClass, kArray, kMember, kImage, kLabel };
  Kind kind = Kind::kInline;
  std::vector<double> values;            // kInline, all rows
  std::vector<QuotedText> files;         // kArray: npy files, their rows one after the other; kMember: one
  QuotedText array;                      // kMember: its name in the npz file
  std::vector<std::int64_t> file_shape;  // kArray, kMember, kImage: of one sample as it lies in the files
  std::vector<std::int64_t> column_numbers;  // kColumns, kClass with numbers
  std::vector<QuotedText> column_names;      // kColumns, kClass with header names
  double scale_divide = 1;                   // x = columns(..) / 16: divided by, then minus and times
  double scale_multiply = 1;
  double scale_subtract = 0;  // value = (raw - subtract) / divide * multiply
  SourceRange range;          // of `columns(..)`, `npy(..)`, `image` or the list
};

struct Field {
  std::string name;  // `x`
  std::string path;  // `digits.x`, as in Graph::inputs
  TensorType type;   // first axis kBatch
  FieldSource source;
  SourceRange range;  // of its name
};

struct Split {
  double train = 1, val = 0, test = 0;
  std::uint64_t seed = 1;
  SourceRange range;
};

struct Dataset {
  std::string name;
  std::optional<DataFile> file;
  std::optional<DataFile> val_file;   // the `val` setting: rows of the same fields, all for this part
  std::optional<DataFile> test_file;  // the `test` setting
  std::vector<Field> fields;
  std::optional<Split> split;
  SourceRange range;
};

/// One condition of `stop`.
struct StopCondition {
  enum class Kind {
    kEpochs,
    kSteps,
    kSeconds,
    kChange,
    kLossBelow,
    kGradientBelow,
    kBelow,    // val.loss < value
    kAbove,    // val.accuracy > value
    kPlateau,  // no better for `value` epochs
  };
  Kind kind = Kind::kSteps;
  double value = 0;
  WatchedValue watched = {};  // kBelow, kAbove, kPlateau
  std::string text = {};      // as written, for the final report
  SourceRange range = {};
};

/// kRows: the mean of the values of single rows. kWhole: one number for all rows of a part at once. kTable:
/// the same, two axes of numbers.
enum class MetricForm { kRows, kWhole, kTable };

struct Metric {
  std::string name;                  // `accuracy`
  bool is_percent = false;           // printed as percent (fraction of rows)
  Better better = Better::kUnknown;  // where nothing says so, a plateau has to
  MetricForm form = MetricForm::kRows;
};

struct Training {
  std::vector<StopCondition> stop;
  std::optional<std::int64_t> batch;  // nullopt: the whole data set
  bool is_shuffled = true;
  std::uint64_t seed = 1;
  std::int64_t accumulate = 1;  // micro-batches of an update
  bool has_average = false;     // `ema`: averages of the weights are kept beside them
  UpdateRule rule;
  std::vector<Metric> metrics;  // outputs `metric.NAME` of the graph, or those of the whole parts
  SourceRange range;
};

/// `expect`: `value` is an output of the check graph.
struct ExpectationTarget {
  std::string title;
  std::string text;    // the expression as written
  std::string output;  // name of the output of CheckedProgram::graph that holds the value
  std::vector<std::int64_t>
      element;  // sample 0 and the written indices are already applied: a scalar. Kept empty
  std::optional<std::int64_t> after_steps;
  std::optional<std::int64_t> after_epochs;
  enum class Comparison { kNear, kLess, kGreater } comparison = Comparison::kNear;
  double expected = 0;
  double tolerance = 0;
  SourceRange range;
};

/// One rule of a race.
struct Competitor {
  std::string text;  // as written: `momentum(lr = 0.02)`
  UpdateRule rule;
  SourceRange range;
};

/// What of the plane a picture shows: `contour(x = [-5, 2], y = [-1.5, 1.5], levels = 20)`.
struct Contour {
  double x_low = 0, x_high = 0;
  double y_low = 0, y_high = 0;
  int levels = 20;
};

/// A `race` block, beside the training that all its rules share.
struct Race {
  std::string title;
  std::vector<Competitor> competitors;
  std::optional<Contour> contour;
  SourceRange range;
};

/// A named value in the order of the text, for `dlg step` and `dlg check`: net.H, net.h, ...
struct NamedValue {
  std::string name;  // with path: `net.h`
  ValueId value;
  SourceRange range;
};

struct CheckedProgram {
  /// Outputs: `loss`, `weight` where samples are weighed, `metric.NAME`, `whole.N`, `predict`, `sample`,
  /// `expect.N`. May hold `gradient` nodes. Effects: what states of models become.
  Graph graph;
  /// The same without effects, and with `training` false; nullopt: there is no difference.
  std::optional<Graph> evaluation;
  /// The metrics that see a whole part: outputs `NAME`, in f64; its inputs are the outputs `whole.N` of
  /// `evaluated()`, gathered, whose rows are the batch. nullopt: there are none.
  std::optional<Graph> whole;
  std::vector<NamedValue> values;
  std::optional<Dataset> data;  // the data set that is trained on; nullopt: a program without data
  std::optional<Training> training;
  std::vector<ExpectationTarget> expectations;
  std::optional<Race> race;                                   // of a program that was compiled for one
  std::string name;                                           // file stem
  std::string model_name;                                     // the one model in `minimize`, if there is one
  std::vector<std::pair<std::string, std::string>> settings;  // resolved config: every dim, const and setting
  DType dtype = DType::kF32;

  /// What losses and metrics of parts and predictions are computed with.
  const Graph& evaluated() const { return evaluation ? *evaluation : graph; }
};

}  // namespace dlg
