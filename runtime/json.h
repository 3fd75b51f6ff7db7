// Owns JSON: a value of its own, strict reading with limits, and text that no locale or version changes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace dlg {

/// A JSON value. Objects keep the order in which their members were added; a key occurs once.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;
  Json(bool value) : value_(value) {}
  Json(int value) : value_(std::int64_t{value}) {}
  Json(std::int64_t value) : value_(value) {}
  /// Above 2^63 - 1 it becomes text: JSON readers would round it.
  Json(std::uint64_t value);
  Json(double value) : value_(value) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}

  static Json object() { return Json(Object{}); }
  static Json array() { return Json(Array{}); }
  static Json array_of(const std::vector<std::string>& texts);

  /// Adds a member to an object (replaces one of the same key) or an element to an array.
  Json& set(std::string_view key, Json value);
  Json& push(Json value);
  /// `set` for a key that is known to be new: the members are not searched.
  Json& add_member(std::string key, Json value);

  /// What the value is, if it is that; null otherwise. A double is no integer.
  const bool* as_bool() const { return std::get_if<bool>(&value_); }
  const std::int64_t* as_integer() const { return std::get_if<std::int64_t>(&value_); }
  const std::string* as_text() const { return std::get_if<std::string>(&value_); }
  const Array* as_array() const { return std::get_if<Array>(&value_); }
  const Object* as_object() const { return std::get_if<Object>(&value_); }
  /// An integer, a double, or one of the texts "nan", "inf", "-inf".
  std::optional<double> as_number() const;
  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }

  /// The member of an object; null if this is no object or has no such member.
  const Json* find(std::string_view key) const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

/// One line, or with `indent` > 0 one member a line. Doubles are the shortest text that reads back to the
/// same bits; numbers that JSON does not know become the texts "nan", "inf", "-inf". Bytes that are no UTF-8
/// are replaced.
std::string json_text(const Json& value, int indent = 0);
/// The same of a number; one that is not finite is a string: "nan", "inf", "-inf".
std::string json_number(double value);

/// What came of reading.
struct JsonResult {
  std::optional<Json> value;
  std::string error;  // what was wrong and where; empty if there is a value
};

/// Reads the whole of `text`: one value, no duplicate key, at most `max_depth` levels, nothing behind it.
JsonResult parse_json(std::string_view text, int max_depth = 64);

}  // namespace dlg
