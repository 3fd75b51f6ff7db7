// Owns the only use of the JSON library.
#include "runtime/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "support/check.h"
#include "support/text.h"

namespace dlg {
namespace {

using Library = nlohmann::json;

/// Builds a Json from the events of the library's parser (whose stack is on the heap) and refuses what is not
/// strict.
class Reader : public nlohmann::json_sax<Library> {
 public:
  explicit Reader(std::size_t max_depth) : max_depth_(max_depth) {}

  bool null() override { return value(Json()); }
  bool boolean(bool b) override { return value(Json(b)); }
  bool number_integer(number_integer_t n) override { return value(Json(std::int64_t{n})); }
  bool number_unsigned(number_unsigned_t n) override {
    constexpr auto kMax = static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max());
    return n <= kMax ? value(Json(static_cast<std::int64_t>(n))) : value(Json(static_cast<double>(n)));
  }
  bool number_float(number_float_t n, const string_t&) override { return value(Json(double{n})); }
  bool string(string_t& text) override { return value(Json(std::move(text))); }
  bool binary(binary_t&) override { return fail("binary data"); }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (!open_.back().keys.insert(name).second) return fail(fmt::format("the key `{}` occurs twice", name));
    open_.back().pending_key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const Library::exception&) override {
    return fail(fmt::format("it is no JSON at byte {}", position));
  }

  JsonResult take() {
    if (!error_.empty() || !result_) return {std::nullopt, error_.empty() ? "it ends too early" : error_};
    return {std::move(result_), ""};
  }

 private:
  struct Level {
    Json container;
    std::string pending_key;
    std::set<std::string, std::less<>> keys;
  };

  bool fail(std::string error) {
    error_ = std::move(error);
    return false;
  }

  bool value(Json item) {
    if (open_.empty()) {
      result_ = std::move(item);
      return true;
    }
    Level& level = open_.back();
    if (level.container.as_array() != nullptr) {
      level.container.push(std::move(item));
    } else {
      level.container.add_member(std::move(level.pending_key), std::move(item));
    }
    return true;
  }

  bool open(Json container) {
    if (open_.size() >= max_depth_)
      return fail(fmt::format("it is nested deeper than {} levels", max_depth_));
    open_.push_back({std::move(container), {}, {}});
    return true;
  }

  bool close() {
    Json done = std::move(open_.back().container);
    open_.pop_back();
    return value(std::move(done));
  }

  std::size_t max_depth_;
  std::vector<Level> open_;
  std::optional<Json> result_;
  std::string error_;
};

/// Printable ASCII but quotes and backslashes stands as it is.
bool is_plain(char c) {
  return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

std::string quoted(const std::string& text) {
  if (std::all_of(text.begin(), text.end(), is_plain)) return '"' + text + '"';
  return Library(text).dump(-1, ' ', false, Library::error_handler_t::replace);
}

/// Writes values whose depth we chose ourselves, by recursion.
class Writer {
 public:
  explicit Writer(int indent) : indent_(indent) {}

  void write(const Json& value, int depth) {
    if (const auto* object = value.as_object()) return write_members(*object, depth);
    if (const auto* array = value.as_array()) return write_elements(*array, depth);
    write_scalar(value);
  }

  std::string text;

 private:
  void write_scalar(const Json& value) {
    if (value.is_null()) {
      text += "null";
    } else if (const bool* truth = value.as_bool()) {
      text += *truth ? "true" : "false";
    } else if (const std::int64_t* integer = value.as_integer()) {
      text += std::to_string(*integer);
    } else if (const std::string* words = value.as_text()) {
      text += quoted(*words);
    } else {
      text += json_number(*value.as_number());
    }
  }

  void write_members(const Json::Object& members, int depth) {
    text += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
      separate(i, depth + 1);
      text += quoted(members[i].first) + (indent_ > 0 ? ": " : ":");
      write(members[i].second, depth + 1);
    }
    if (!members.empty()) new_line(depth);
    text += '}';
  }

  /// Arrays of scalars stay on one line.
  void write_elements(const Json::Array& elements, int depth) {
    const bool is_flat = std::none_of(elements.begin(), elements.end(), [](const Json& element) {
      return element.as_object() != nullptr || element.as_array() != nullptr;
    });
    text += '[';
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (is_flat) {
        text += i == 0 ? "" : indent_ > 0 ? ", " : ",";
      } else {
        separate(i, depth + 1);
      }
      write(elements[i], depth + 1);
    }
    if (!is_flat) new_line(depth);
    text += ']';
  }

  void separate(std::size_t index, int depth) {
    if (index > 0) text += ',';
    new_line(depth);
  }

  void new_line(int depth) {
    if (indent_ <= 0) return;
    text += '\n';
    text.append(static_cast<std::size_t>(indent_) * static_cast<std::size_t>(depth), ' ');
  }

  int indent_;
};

}  // namespace

Json::Json(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    value_ = static_cast<std::int64_t>(value);
  } else {
    value_ = std::to_string(value);
  }
}

Json Json::array_of(const std::vector<std::string>& texts) {
  return Json(Array(texts.begin(), texts.end()));
}

Json& Json::add_member(std::string key, Json value) {
  auto* members = std::get_if<Object>(&value_);
  DLG_CHECK(members != nullptr, "a member is set in a JSON value that is no object");
  members->emplace_back(std::move(key), std::move(value));
  return *this;
}

Json& Json::set(std::string_view key, Json value) {
  if (Json* member = const_cast<Json*>(find(key))) {
    *member = std::move(value);
    return *this;
  }
  return add_member(std::string(key), std::move(value));
}

Json& Json::push(Json value) {
  auto* elements = std::get_if<Array>(&value_);
  DLG_CHECK(elements != nullptr, "an element is added to a JSON value that is no array");
  elements->push_back(std::move(value));
  return *this;
}

std::optional<double> Json::as_number() const {
  if (const auto* integer = as_integer()) return static_cast<double>(*integer);
  if (const auto* number = std::get_if<double>(&value_)) return *number;
  const std::string* text = as_text();
  const bool is_special = text != nullptr && (*text == "nan" || *text == "inf" || *text == "-inf");
  return is_special ? parse_number(*text) : std::nullopt;
}

const Json* Json::find(std::string_view key) const {
  const Object* members = as_object();
  if (members == nullptr) return nullptr;
  for (const auto& [name, value] : *members) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string json_number(double value) {
  if (std::isnan(value)) return "\"nan\"";
  return std::isfinite(value) ? number_text(value) : quoted(number_text(value));
}

std::string json_text(const Json& value, int indent) {
  Writer writer(indent);
  writer.write(value, 0);
  return std::move(writer.text);
}

JsonResult parse_json(std::string_view text, int max_depth) {
  Reader reader(static_cast<std::size_t>(max_depth));
  // The library's own duplicate handling keeps the last one silently; the reader sees every key.
  Library::sax_parse(text.begin(), text.end(), &reader, Library::input_format_t::json, true);
  return reader.take();
}

}  // namespace dlg
