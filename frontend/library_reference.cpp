#include "frontend/library_reference.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/blocks/data_formats.h"
#include "frontend/compile.h"
#include "frontend/elaborate/builtins.h"
#include "frontend/text/parser.h"
#include "ir/graph/rewriter.h"
#include "ir/ops/interpret.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr std::string_view kExampleMark = "example:";

constexpr std::string_view kHead = R"(# The library

This page is generated from the tables of built-in functions and of data formats and from `std/`; `scripts/test --bless`
writes it again. The files of `std/` are written in the language and are inside the program. A definition of the same name
in a file shadows theirs.

In a signature `[...]` are any axes, `[..., n]` any and then one; a reduction without `over` reduces all axes. What stands
with `=` is given by its name, or not at all. Every example stands in this program, in the place of the line with the same
left side, an expression in that of `result`; what reads columns or images, in one whose data block has such a `file`.
Values are those of the f64 interpreter.
)";

/// Where examples stand; each takes the place of one line.
constexpr std::string_view kFrame = R"(dlg 1
use f64
dim m = 2
dim n = 3
const v: [n] = [3, -1, 2]
const A: [m, n] = [[1, 2, 3], [4, 5, 6]]
data points {
  x = [[1, 2, 3], [0, -1, 1], [2, 0, 1], [1, 1, 0]]
  t = [1, 0, 1, 0]
  split = shares(train = 0.5, val = 0.5)
}
const pictures: [chan: 1, row: 4, col: 4] = [[[1, 2, 0, 1], [0, 1, 3, 1], [2, 1, 0, 0], [1, 0, 1, 2]]]
const series: [chan: 2, time: 4] = [[1, 2, 0, 1], [0, 1, 3, 1]]
model net(x: [n]) -> [] {
  param W: [m, n] = 0.1
  h = tanh(W @ x)
  y = h
  return sum(y) + sum(h)
}
model example() -> [] {
  result = v
  return 0
}
optimizer rule(lr) {
  theta <- theta - lr * grad(theta)
}
train {
  minimize = mse(net(points.x), points.t) + example()
  optimizer = rule(lr = 0.1)
  clip = global_norm(1)
  metrics = [mae(net(points.x), points.t)]
  stop = [100 steps]
}
check "example" {
  expect loss > 0
}
)";

/// The same for what reads columns of a file.
constexpr std::string_view kTableFrame = R"(dlg 1
dim n = 3
data points {
  file = csv("points.csv")
  x = columns(0..2)
  t = column(3)
}
model net(x: [n]) -> [] {
  param w: [n] = 0.1
  return w @ x
}
train {
  minimize = mse(net(points.x), points.t)
  optimizer = sgd(lr = 0.1)
  stop = [100 steps]
}
)";

/// The same for what reads images.
constexpr std::string_view kImageFrame = R"(dlg 1
dim pixel = 28 * 28
data points {
  file = idx("images.gz", "labels.gz")
  x = image / 255
  t = label
}
model net(x: [pixel]) -> [10] {
  param w: [10, pixel] = 0.1
  return w @ x
}
train {
  minimize = cross_entropy(net(points.x), points.t)
  optimizer = sgd(lr = 0.1)
  stop = [100 steps]
}
)";

/// The section of this title, which is made where there is none.
LibrarySection& section_of(std::vector<LibrarySection>& sections, std::string_view title) {
  for (LibrarySection& section : sections) {
    if (section.title == title) return section;
  }
  return sections.emplace_back(LibrarySection{std::string(title), {}, {}});
}

std::vector<LibrarySection> builtin_sections() {
  std::vector<LibrarySection> sections;
  for (const Builtin& builtin : builtins()) {
    section_of(sections, builtin.group)
        .entries.push_back({std::string(builtin.name), std::string(builtin.signature),
                            std::string(builtin.doc), std::string(builtin.example)});
  }
  return sections;
}

LibrarySection data_section() {
  return {"Fields of the data",
          "",
          {
#define DLG_DATA_FORMAT(callee, kind, files, signature, doc, example) {#callee, signature, doc, example},
#include "frontend/blocks/data_formats.def"
#undef DLG_DATA_FORMAT
          }};
}

LibrarySection file_section() {
  return {"Files of the data",
          "",
          {
#define DLG_DATA_FILE(callee, kind, most_paths, signature, doc, example) {#callee, signature, doc, example},
#include "frontend/blocks/data_files.def"
#undef DLG_DATA_FILE
          }};
}

/// A file of std/ while its entries are taken out.
struct StdReader {
  const Sources& sources;
  const ast::File& file;
  LibrarySection& section;

  /// What line `line` says after its `#`; nullopt: it is no comment.
  std::optional<std::string> comment(std::int64_t line) const {
    const std::string_view text = sources.line_text(file.file, line);
    if (!text.starts_with("#")) return std::nullopt;
    return std::string(trim(text.substr(1)));
  }

  std::string text(const ast::Formal& formal) const {
    SourceRange range = formal.name.range;
    if (!formal.words.empty()) range.end = formal.words.back().range.end;
    if (formal.type) range.end = formal.type->range.end;
    if (formal.default_value.is_valid()) range.end = file.exprs[formal.default_value].range.end;
    return std::string(sources.text(range));
  }

  std::string signature(const ast::Name& name, const std::vector<ast::Formal>& formals) const {
    std::vector<std::string> parts;
    for (const ast::Formal& formal : formals) parts.push_back(text(formal));
    return fmt::format("{}({})", name.text, join_text(parts, ", "));
  }

  /// The definition with the comment above it; an overload goes to the entry of its name.
  void add(const ast::Name& name, const std::string& signature) const {
    std::vector<LibraryEntry>& entries = section.entries;
    const auto known = std::find_if(entries.begin(), entries.end(),
                                    [&](const LibraryEntry& entry) { return entry.name == name.text; });
    if (known != entries.end()) {
      known->signature += "` or `" + signature;
      return;
    }
    LibraryEntry entry{name.text, signature, {}, {}};
    const std::int64_t line = sources.line_column(file.file, name.range.begin).line;
    for (std::int64_t above = line - 1; above > 0; --above) {
      const std::optional<std::string> words = comment(above);
      if (!words) break;
      if (words->starts_with(kExampleMark)) {
        entry.example = trim(std::string_view(*words).substr(kExampleMark.size()));
      } else {
        entry.doc = entry.doc.empty() ? *words : *words + " " + entry.doc;
      }
    }
    entries.push_back(std::move(entry));
  }

  void read() const {
    for (std::int64_t line = 2; const std::optional<std::string> words = comment(line); ++line) {
      section.doc += (section.doc.empty() ? "" : " ") + *words;
    }
    for (const ast::Definition& definition : file.definitions) {
      add(definition.name, fmt::format("{} {}", definition.keyword, definition.name.text));
    }
    for (const ast::Function& function : file.functions) {
      const std::string result =
          function.result ? fmt::format(" -> {}", sources.text(function.result->range)) : "";
      add(function.name, signature(function.name, function.formals) + result);
    }
    for (const ast::Optimizer& optimizer : file.optimizers) {
      add(optimizer.name, signature(optimizer.name, optimizer.formals));
    }
  }
};

/// "Optimizer flavours" of "std/optimizer_flavours.dlg".
std::string title_of(std::string_view file_name) {
  std::string title(file_name.substr(file_name.find('/') + 1));
  title.resize(title.find('.'));
  std::replace(title.begin(), title.end(), '_', ' ');
  title.front() = static_cast<char>(title.front() - 'a' + 'A');
  return title;
}

LibrarySection std_section(const Sources& sources, const ast::File& file) {
  LibrarySection section{title_of(sources.name(file.file)), {}, {}};
  StdReader{sources, file, section}.read();
  return section;
}

/// What a line sets: `optimizer`, `theta`; `expect` of an expectation.
std::string_view left_side(std::string_view line) {
  const std::string_view words = trim(line);
  if (words.starts_with("expect ")) return "expect";
  return trim(words.substr(0, words.find_first_of("=<")));
}

/// The line of a program that the example is: an expression is the value of a name.
std::string statement_of(const std::string& example) {
  constexpr std::string_view kMarks[] = {"theta <-", "expect "};
  const bool is_marked =
      std::any_of(std::begin(kMarks), std::end(kMarks), [&](auto mark) { return example.starts_with(mark); });
  const bool is_statement = is_marked || example.find('=') < example.find('(');
  return is_statement ? example : "result = " + example;
}

/// The program that an example of the data stands in; any other one stands in kFrame.
std::string_view frame_of(const std::string& example) {
  struct Framed {
    std::string word;
    std::string_view frame;
  };
  const auto frame = [](DataFiles files) {
    return files == DataFiles::kTable ? kTableFrame : files == DataFiles::kImages ? kImageFrame : kFrame;
  };
  const Framed all[] = {
#define DLG_DATA_FORMAT(callee, kind, files, signature, doc, example) \
  {DataFiles::files == DataFiles::kImages ? "= " #callee : #callee "(", frame(DataFiles::files)},
#include "frontend/blocks/data_formats.def"
#undef DLG_DATA_FORMAT
#define DLG_DATA_FILE(callee, kind, most_paths, signature, doc, example) \
  {"file = " #callee "(", frame(files_of(DataFile::Kind::kind))},
#include "frontend/blocks/data_files.def"
#undef DLG_DATA_FILE
  };
  const auto* found = std::find_if(std::begin(all), std::end(all), [&](const Framed& framed) {
    return example.find(framed.word) != std::string::npos;
  });
  return found == std::end(all) ? kFrame : found->frame;
}

/// The frame with the statement in the place of the line with this left side; nullopt: it has none.
std::optional<std::string> placed(std::string_view frame, std::string_view left,
                                  const std::string& statement) {
  std::string text;
  bool is_placed = false;
  for (const std::string_view line : split_text(frame, '\n')) {
    const bool is_place = line.starts_with("  ") && left_side(line) == left;
    is_placed = is_placed || is_place;
    text += (is_place ? "  " + statement : std::string(line)) + "\n";
  }
  return is_placed ? std::optional(text) : std::nullopt;
}

std::string example_program(const std::string& example) {
  const std::string statement = statement_of(example);
  const std::string_view frame = frame_of(example);
  const std::optional<std::string> program = placed(frame, left_side(statement), statement);
  return program ? *program : placed(frame, "result", statement).value_or("");
}

std::string value_text(const Tensor<double>& tensor) {
  std::vector<std::string> parts;
  for (const double element : tensor.elements) parts.push_back(rounded_text(element, 6));
  const std::vector<std::int64_t>& dims = tensor.shape.dims();
  for (std::size_t axis = dims.size(); axis-- > 0;) {
    const auto size = static_cast<std::size_t>(dims[axis]);
    std::vector<std::string> rows;
    for (std::size_t first = 0; first < parts.size(); first += size) {
      const auto begin = parts.begin() + static_cast<std::ptrdiff_t>(first);
      rows.push_back("[" + join_text({begin, begin + static_cast<std::ptrdiff_t>(size)}, ", ") + "]");
    }
    parts = std::move(rows);
  }
  return parts.front();
}

/// What the names on the left of the example are, where these are values.
std::string value_of(const CheckedProgram& program, std::string_view names) {
  std::vector<std::string> texts;
  for (const std::string_view name : split_text(names, ',')) {
    const std::string path = fmt::format("example.{}", trim(name));
    const auto named = std::find_if(program.values.begin(), program.values.end(),
                                    [&](const NamedValue& value) { return value.name == path; });
    if (named == program.values.end()) continue;
    const Graph graph = with_outputs(program.graph, {{path, named->value}});
    texts.push_back(value_text(interpret(graph, default_environment(graph))[*graph.find_output(path)]));
  }
  return join_text(texts, "`, `");
}

/// A text for a cell of a table.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string row(const LibraryEntry& entry) {
  const std::string value = run_example(entry.example).value;
  const std::string result = value.empty() ? "" : fmt::format(" is `{}`", value);
  return fmt::format("| `{}` | {} | `{}`{} |\n", cell(entry.signature), cell(entry.doc), cell(entry.example),
                     result);
}

std::string text_of(const LibrarySection& section) {
  std::string text = fmt::format("\n## {}\n\n", section.title);
  if (!section.doc.empty()) text += section.doc + "\n\n";
  text += "| signature | meaning | example |\n|---|---|---|\n";
  for (const LibraryEntry& entry : section.entries) text += row(entry);
  return text;
}

}  // namespace

std::vector<LibrarySection> library_sections() {
  std::vector<LibrarySection> sections = builtin_sections();
  sections.push_back(file_section());
  sections.push_back(data_section());
  const StandardLibrary& library = standard_library();
  for (const ast::File& file : library.units) sections.push_back(std_section(library.sources, file));
  return sections;
}

ExampleOutcome run_example(const std::string& example) {
  Sources sources;
  Diagnostics diagnostics;
  const FileId id = sources.add("example.dlg", example_program(example));
  const ast::File file = parse_file(sources, id, diagnostics);
  const std::optional<CheckedProgram> program = compile_program(sources, file, {}, diagnostics);
  ExampleOutcome outcome;
  for (const Diagnostic& diagnostic : diagnostics.sorted()) {
    if (diagnostic.severity == Severity::kError) outcome.errors += diagnostic.message + "\n";
  }
  if (program) outcome.value = value_of(*program, left_side(statement_of(example)));
  return outcome;
}

std::string library_reference() {
  std::string text = fmt::format("{}\n```\n{}```\n", kHead, kFrame);
  for (const LibrarySection& section : library_sections()) text += text_of(section);
  return text;
}

}  // namespace dlg
