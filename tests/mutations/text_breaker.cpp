#include "tests/mutations/text_breaker.h"

#include <algorithm>
#include <regex>

#include "support/text.h"

namespace dlg::test {
namespace {

using IsWanted = bool (*)(const std::string& line);

/// A line of some kind, chosen at random.
std::string* pick_line(Lines& lines, Random& random, const IsWanted& is_wanted) {
  std::vector<std::string*> found;
  for (std::string& line : lines) {
    if (is_wanted(line)) found.push_back(&line);
  }
  return found.empty() ? nullptr : found[random.below(found.size())];
}

bool begins(const std::string& line, std::string_view word) {
  return trim(line).starts_with(word);
}

/// `h = add x, y : f64[2]`, also in a loop program: `%1 = add %0, %0 : f64`.
bool is_value_line(const std::string& line) {
  return line.find(" = ") != std::string::npos && line.find(" : ") != std::string::npos &&
         !begins(line, "state") && !begins(line, "input") && !begins(line, "hyper");
}

bool has_type(const std::string& line) {
  static const std::regex kType(R"((bool|i32|i64|f32|f64)\[)");
  return std::regex_search(line, kType);
}

bool has_list(const std::string& line) {
  return line.find("= [") != std::string::npos;
}

/// Puts another text in the place of one match of a pattern.
bool replace_match(std::string& line, const std::regex& pattern, const std::string& text, Random& random) {
  const std::string before = line;
  const std::vector<std::smatch> found(std::sregex_iterator(before.begin(), before.end(), pattern),
                                       std::sregex_iterator());
  if (found.empty()) return false;
  const std::smatch& match = found[random.below(found.size())];
  line = before.substr(0, static_cast<std::size_t>(match.position())) + text +
         before.substr(static_cast<std::size_t>(match.position() + match.length()));
  return line != before;
}

bool change_in(Lines& lines, Random& random, IsWanted is_wanted, const std::regex& pattern,
               const std::vector<std::string>& texts) {
  std::string* line = pick_line(lines, random, is_wanted);
  return line != nullptr && replace_match(*line, pattern, random.pick(texts), random);
}

const std::vector<std::string> kNumbers{"0",
                                        "-1",
                                        "1",
                                        "2",
                                        "3",
                                        "17",
                                        "4096",
                                        "99999999",
                                        "1099511627776",
                                        "4611686018427387904",
                                        "9223372036854775807",
                                        "99999999999999999999"};

bool change_dtype(Lines& lines, Random& random) {
  static const std::regex kDType(R"(\b(bool|i32|i64|f32|f64)\b)");
  return change_in(lines, random, has_type, kDType, {"bool", "i32", "i64", "f32", "f64"});
}

bool change_extent(Lines& lines, Random& random) {
  static const std::regex kExtent(R"((\*batch|\b\d+)(?=[,\]]))");
  std::vector<std::string> extents = kNumbers;
  extents.emplace_back("*batch");
  return change_in(lines, random, has_type, kExtent, extents);
}

bool change_rank(Lines& lines, Random& random) {
  static const std::regex kOpening(R"((bool|i32|i64|f32|f64)\[)");
  return change_in(lines, random, has_type, kOpening,
                   {"f64[2, ", "f64[1, ", "f32[*batch, ", "f64[500000000, "});
}

bool change_attribute(Lines& lines, Random& random) {
  static const std::regex kNumber(R"(-?\b\d+(?=[,\]}]))");
  return change_in(lines, random, has_list, kNumber, kNumbers);
}

bool reverse_attribute(Lines& lines, Random& random) {
  std::string* line = pick_line(lines, random, has_list);
  if (line == nullptr) return false;
  const std::size_t begin = line->find("= [") + 3;
  const std::size_t end = line->find(']', begin);
  if (end == std::string::npos) return false;
  std::vector<std::string> parts;
  const std::string list = line->substr(begin, end - begin);
  for (const std::string_view part : split_text(list, ',')) parts.emplace_back(trim(part));
  std::reverse(parts.begin(), parts.end());
  const std::string before = *line;
  line->replace(begin, end - begin, join_text(parts, ", "));
  return *line != before;
}

/// The operands of a value line stand between its op and what follows.
bool change_operands(Lines& lines, Random& random) {
  std::string* line = pick_line(lines, random, is_value_line);
  if (line == nullptr) return false;
  // Without std::regex, whose matcher recurses once per character: a line of a literal has thousands.
  const std::string before = *line;
  const std::size_t op = before.find(" = ") + 3;
  const std::size_t begin = before.find(' ', op) + 1;
  const std::size_t end = before.find_first_of("{:", begin);
  if (begin == 0 || end == std::string::npos || end == begin) return false;
  std::vector<std::string> operands;
  const std::string_view list = trim(std::string_view(before).substr(begin, end - begin));
  for (const std::string_view part : split_text(list, ',')) operands.emplace_back(trim(part));
  const std::size_t chosen = random.below(operands.size());
  switch (random.below(5)) {
    case 0:
      std::reverse(operands.begin(), operands.end());
      break;
    case 1:
      operands.erase(operands.begin() + static_cast<std::ptrdiff_t>(chosen));
      break;
    case 2:
      operands.push_back(operands[chosen]);
      break;
    case 3:
      operands[chosen] = "nobody";
      break;
    default: {
      const std::string* other = pick_line(lines, random, is_value_line);
      operands[chosen] = std::string(trim(other->substr(0, other->find(" = "))));
    }
  }
  *line = before.substr(0, begin) + join_text(operands, ", ") + " " + before.substr(end);
  return *line != before;
}

bool change_op(Lines& lines, Random& random) {
  static const std::regex kOp(R"(= [a-z_0-9]+\b)");
  return change_in(
      lines, random, is_value_line, kOp,
      {"= add", "= exp", "= mean", "= sum", "= softmax", "= gradient", "= gather", "= one_hot", "= transpose",
       "= reshape", "= contract", "= solve", "= constant", "= load", "= nothing"});
}

bool change_batch(Lines& lines, Random& random) {
  const IsWanted is_batch = [](const std::string& line) {
    return begins(line, "batch") || begins(line, "program batch");
  };
  static const std::regex kNumber(R"(\d+)");
  return change_in(lines, random, is_batch, kNumber, kNumbers);
}

bool change_sink(Lines& lines, Random& random) {
  const IsWanted is_sink = [](const std::string& line) {
    return begins(line, "output") || begins(line, "effect") || begins(line, "copy") || begins(line, "store");
  };
  std::string* line = pick_line(lines, random, is_sink);
  if (line == nullptr) return false;
  if (random.chance(0.3)) {
    lines.push_back(*line);
    return true;
  }
  const std::string* other = pick_line(lines, random, is_value_line);
  const std::size_t equals = line->find(" = ");
  if (other == nullptr || equals == std::string::npos) return false;
  const std::string before = *line;
  line->replace(equals + 3, std::string::npos, trim(other->substr(0, other->find(" = "))));
  return *line != before;
}

bool change_state(Lines& lines, Random& random) {
  const IsWanted is_state = [](const std::string& line) { return begins(line, "state"); };
  static const std::regex kKind(R"(\b(parameter|constant|optimizer|step)\b|fill [^ ]+|normal [^ ]+)");
  return change_in(lines, random, is_state, kKind,
                   {"parameter", "constant", "optimizer", "step", "fill 0", "literal [1, 2]", "literal []"});
}

/// Undefined names, and one name twice.
bool change_name(Lines& lines, Random& random) {
  std::string* line = pick_line(lines, random, is_value_line);
  const std::string* other = pick_line(lines, random, is_value_line);
  if (line == nullptr) return false;
  const std::string name =
      random.chance(0.5) ? "nobody" : std::string(trim(other->substr(0, other->find(" = "))));
  const std::string before = *line;
  line->replace(0, line->find(" = "), name);
  return *line != before;
}

bool change_path(Lines& lines, Random& random) {
  static const std::regex kPath(R"(path = [^,}]+)");
  return change_in(lines, random, is_value_line, kPath, {"path = nobody", "path = \"\"", "path = d.x"});
}

bool drop_line(Lines& lines, Random& random) {
  lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(random.below(lines.size())));
  return true;
}

bool double_line(Lines& lines, Random& random) {
  const std::size_t from = random.below(lines.size());
  const std::string line = lines[from];
  lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(random.below(lines.size() + 1)), line);
  return true;
}

bool swap_lines(Lines& lines, Random& random) {
  const std::size_t a = random.below(lines.size());
  const std::size_t b = random.below(lines.size());
  std::swap(lines[a], lines[b]);
  return lines[a] != lines[b];
}

std::size_t find_line(const Lines& lines, std::size_t from, std::string_view word) {
  while (from < lines.size() && !begins(lines[from], word)) ++from;
  return from;
}

/// Two kernels become one, or change places.
bool change_kernels(Lines& lines, Random& random) {
  std::vector<std::size_t> heads;
  for (std::size_t i = find_line(lines, 0, "kernel"); i < lines.size();
       i = find_line(lines, i + 1, "kernel")) {
    heads.push_back(i);
  }
  if (heads.size() < 2) return false;
  const std::size_t chosen = 1 + random.below(heads.size() - 1);
  const auto at = [&](std::size_t i) { return lines.begin() + static_cast<std::ptrdiff_t>(i); };
  if (random.chance(0.5)) {
    lines.erase(at(heads[chosen]));
    for (std::size_t i = heads[chosen]; i-- > heads[chosen - 1];) {
      if (trim(lines[i]) != "}") continue;
      lines.erase(at(i));
      break;
    }
    return true;
  }
  std::rotate(at(heads[chosen - 1]), at(heads[chosen]), at(find_line(lines, heads[chosen], "}") + 1));
  return true;
}

}  // namespace

const std::vector<TextBreak>& text_breaks() {
  static const std::vector<TextBreak> breaks{{"dtype", change_dtype},
                                             {"extent", change_extent},
                                             {"rank", change_rank},
                                             {"attribute", change_attribute},
                                             {"reversed", reverse_attribute},
                                             {"operands", change_operands},
                                             {"op", change_op},
                                             {"batch", change_batch},
                                             {"sink", change_sink},
                                             {"state", change_state},
                                             {"name", change_name},
                                             {"path", change_path},
                                             {"lost line", drop_line},
                                             {"double line", double_line},
                                             {"swapped lines", swap_lines},
                                             {"kernels", change_kernels}};
  return breaks;
}

Lines lines_of(const std::string& text) {
  Lines lines;
  for (const std::string_view line : split_text(text, '\n')) lines.emplace_back(line);
  return lines;
}

std::string text_of(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace dlg::test
