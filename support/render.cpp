#include "support/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "support/markers.h"
#include "support/shown_line.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr std::size_t kMaxSuggestedLines = 6;

/// One range to be marked on one line. A range over several lines is marked to the end of its first.
struct Mark {
  SourceRange range;
  char sign = '^';
  Style style = Style::kPlain;
  std::string text;
};

/// The marks of one file by line; the main mark, if it is here, is the last of its line.
struct FileMarks {
  FileId file;
  SourceRange first;  // named in the line with the arrow
  std::map<std::int64_t, std::vector<Mark>> lines;
};

Style style_of(Severity severity) {
  if (severity == Severity::kError) return Style::kError;
  return severity == Severity::kWarning ? Style::kWarning : Style::kNote;
}

std::string_view word_of(Severity severity) {
  if (severity == Severity::kError) return "error";
  return severity == Severity::kWarning ? "warning" : "note";
}

class Renderer {
 public:
  Renderer(const Sources& sources, const Diagnostic& diagnostic, Color color)
      : sources_(sources), diagnostic_(diagnostic), color_(color) {}

  std::string run() {
    print_headline();
    const std::vector<FileMarks> files = collect_marks();
    gutter_ = gutter_width(files);
    for (std::size_t i = 0; i < files.size(); ++i) print_file(files[i], i == 0 ? "-->" : ":::");
    const bool has_more = !diagnostic_.notes.empty() || diagnostic_.suggestion;
    if (!files.empty() && has_more) print_gutter("");
    for (const std::string& note : diagnostic_.notes) print_note(note);
    if (diagnostic_.suggestion) print_suggestion(*diagnostic_.suggestion);
    return std::move(out_);
  }

 private:
  void print(const TextRow& row) { out_ += color_ == Color::kOn ? row.with_color() : row.without_color(); }

  void print_headline() {
    TextRow row;
    row.append(fmt::format("{}[{}]", word_of(diagnostic_.severity), code_text(diagnostic_.code)),
               style_of(diagnostic_.severity));
    row.append(": " + diagnostic_.message, Style::kBold);
    print(row);
  }

  std::vector<FileMarks> collect_marks() const {
    std::vector<FileMarks> files;
    if (!diagnostic_.range.is_valid()) return files;
    files.push_back({diagnostic_.range.file, diagnostic_.range, {}});
    for (const Label& label : diagnostic_.labels) {
      if (label.range.is_valid()) add_mark(files, {label.range, '-', Style::kLabel, label.text});
    }
    add_mark(files, {diagnostic_.range, '^', style_of(diagnostic_.severity), diagnostic_.range_text});
    return files;
  }

  void add_mark(std::vector<FileMarks>& files, Mark mark) const {
    auto file = std::find_if(files.begin(), files.end(),
                             [&](const FileMarks& f) { return f.file == mark.range.file; });
    if (file == files.end()) file = files.insert(file, {mark.range.file, mark.range, {}});
    file->lines[line_of(mark.range)].push_back(std::move(mark));
  }

  std::int64_t line_of(SourceRange range) const { return sources_.line_column(range.file, range.begin).line; }

  std::size_t gutter_width(const std::vector<FileMarks>& files) const {
    std::int64_t last = 1;
    for (const FileMarks& file : files) last = std::max(last, file.lines.rbegin()->first);
    if (diagnostic_.suggestion && diagnostic_.suggestion->range.is_valid()) {
      const auto added = std::count(diagnostic_.suggestion->replacement.begin(),
                                    diagnostic_.suggestion->replacement.end(), '\n');
      last = std::max(last, line_of(diagnostic_.suggestion->range) + added);
    }
    return std::to_string(last).size();
  }

  void print_file(const FileMarks& file, std::string_view arrow) {
    TextRow row;
    row.append(fmt::format("{:>{}}{} ", "", gutter_, arrow), Style::kGutter);
    row.append(std::string(sources_.name(file.file)), Style::kPlain);
    // A file that could not be read, or has nothing in it, has no line to show.
    const bool has_text = !sources_.text(file.file).empty();
    const LineColumn place = sources_.line_column(file.file, file.first.begin);
    if (has_text) row.append(fmt::format(":{}:{}", place.line, place.column), Style::kPlain);
    print(row);
    if (!has_text) return;
    print_gutter("");
    std::int64_t before = file.lines.begin()->first;
    for (const auto& [line, marks] : file.lines) {
      print_gap(file.file, before, line);
      print_line(file.file, line, marks);
      before = line;
    }
  }

  /// One line in between is shown, several are `...`.
  void print_gap(FileId file, std::int64_t before, std::int64_t line) {
    if (line - before == 2) {
      print_source(before + 1, ShownLine(sources_.line_text(file, before + 1), 0));
    } else if (line - before > 2) {
      TextRow row;
      row.append("...", Style::kGutter);
      print(row);
    }
  }

  void print_line(FileId file, std::int64_t line, const std::vector<Mark>& marks) {
    const std::string_view text = sources_.line_text(file, line);
    const auto start = line_start(file, text);
    const ShownLine shown(text, marks.back().range.begin - start);
    print_source(line, shown);
    std::vector<Marker> markers;
    for (const Mark& mark : marks) {
      const std::size_t begin = shown.column(mark.range.begin - start);
      const std::size_t end = std::max(begin + 1, shown.column(std::max(mark.range.end, start) - start));
      markers.push_back({begin, end, mark.sign, mark.style, mark.text});
    }
    print_markers(markers);
  }

  /// The offset of the line `text` in its file.
  std::uint32_t line_start(FileId file, std::string_view text) const {
    return static_cast<std::uint32_t>(text.data() - sources_.text(file).data());
  }

  void print_source(std::int64_t line, const ShownLine& shown) {
    TextRow row = gutter_row(std::to_string(line));
    row.put(gutter_ + kGutterTail, shown.text(), Style::kPlain);
    print(row);
  }

  void print_markers(const std::vector<Marker>& markers) {
    for (TextRow& row : draw_markers(markers, gutter_ + kGutterTail)) {
      row.put(gutter_ + 1, "|", Style::kGutter);
      print(row);
    }
  }

  TextRow gutter_row(std::string_view number) const {
    TextRow row;
    row.append(fmt::format("{:>{}} |", number, gutter_), Style::kGutter);
    return row;
  }

  void print_gutter(std::string_view number) { print(gutter_row(number)); }

  /// Lines after the first are set below its text.
  void print_note(const std::string& note) {
    constexpr std::string_view kHead = "= note: ";
    bool is_first = true;
    for (const std::string_view line : split_text(note, '\n')) {
      TextRow row;
      if (is_first) row.put(gutter_ + 1, "=", Style::kGutter);
      if (is_first) row.put(gutter_ + kGutterTail, "note:", Style::kBold);
      row.put(gutter_ + 1 + kHead.size(), line, Style::kPlain);
      print(row);
      is_first = false;
    }
  }

  void print_suggestion(const Suggestion& suggestion) {
    TextRow row;
    row.append("help", Style::kHelp);
    row.append(": " + suggestion.text, Style::kPlain);
    print(row);
    if (!suggestion.range.is_valid()) return;
    print_gutter("");
    print_edited_lines(suggestion);
  }

  void print_edited_lines(const Suggestion& suggestion) {
    const FileId file = suggestion.range.file;
    const std::string_view text = sources_.text(file);
    const std::int64_t first = line_of(suggestion.range);
    const std::string_view first_text = sources_.line_text(file, first);
    const std::size_t begin = line_start(file, first_text);
    const std::size_t end = std::min(text.find_first_of("\r\n", suggestion.range.end), text.size());
    const std::string_view before = text.substr(begin, suggestion.range.begin - begin);
    const std::string_view after = text.substr(suggestion.range.end, end - suggestion.range.end);
    const std::string edited = fmt::format("{}{}{}", before, suggestion.replacement, after);
    const char sign = suggestion.range.begin == suggestion.range.end ? '+' : '~';
    Edit edit{before.size(), before.size() + suggestion.replacement.size(), sign};
    std::vector<std::string_view> lines = split_text(edited, '\n');
    if (lines.size() > kMaxSuggestedLines) lines.resize(kMaxSuggestedLines);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      print_edited_line(first + static_cast<std::int64_t>(i), lines[i], edit);
      edit.begin -= std::min(edit.begin, lines[i].size() + 1);
      edit.end -= std::min(edit.end, lines[i].size() + 1);
    }
  }

  /// Bytes [begin, end) of the edited text that are new, counted from the start of the line.
  struct Edit {
    std::size_t begin;
    std::size_t end;
    char sign;
  };

  void print_edited_line(std::int64_t number, std::string_view line, const Edit& edit) {
    const ShownLine shown(line, edit.begin);
    print_source(number, shown);
    const std::size_t begin = shown.column(edit.begin);
    const std::size_t end = shown.column(edit.end);
    if (end > begin) print_markers({{begin, end, edit.sign, Style::kHelp, ""}});
  }

  static constexpr std::size_t kGutterTail = 3;  // the width of " | "

  const Sources& sources_;
  const Diagnostic& diagnostic_;
  Color color_;
  std::size_t gutter_ = 1;
  std::string out_;
};

/// "dlg: 25 errors, 1 warning; the first 20 are shown".
std::string summary(const Diagnostics& diagnostics, std::size_t limit) {
  const std::vector<Diagnostic>& all = diagnostics.all();
  const auto warnings = std::count_if(all.begin(), all.end(),
                                      [](const Diagnostic& d) { return d.severity == Severity::kWarning; });
  std::vector<std::string> parts;
  const auto errors = static_cast<long long>(diagnostics.error_count());
  if (errors > 0) parts.push_back(counted(errors, "error"));
  if (warnings > 0) parts.push_back(counted(warnings, "warning"));
  if (parts.empty()) return "";
  const std::string cut = all.size() > limit ? fmt::format("; the first {} are shown", limit) : "";
  return fmt::format("dlg: {}{}\n", join_text(parts, ", "), cut);
}

}  // namespace

std::string render(const Sources& sources, const Diagnostic& diagnostic, Color color) {
  return Renderer(sources, diagnostic, color).run();
}

std::string render_all(const Sources& sources, const Diagnostics& diagnostics, Color color,
                       std::size_t limit) {
  // Notes, however many, leave room for what they stand beside.
  std::vector<Diagnostic> all = diagnostics.sorted();
  std::size_t left_out = all.size() - std::min(all.size(), limit);
  for (const Severity severity : {Severity::kNote, Severity::kWarning, Severity::kError}) {
    for (std::size_t i = all.size(); i-- > 0 && left_out > 0;) {
      if (all[i].severity != severity) continue;
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
      --left_out;
    }
  }
  std::string text;
  for (const Diagnostic& diagnostic : all) text += render(sources, diagnostic, color) + "\n";
  return text + summary(diagnostics, limit);
}

}  // namespace dlg
