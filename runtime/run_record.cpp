// Owns run.json: from a record to JSON and back.
#include <chrono>
#include <cstdlib>
#include <ctime>

#include "runtime/files.h"
#include "runtime/json.h"
#include "runtime/run_folder.h"

namespace dlg {
namespace {

constexpr std::int64_t kFormat = 1;

constexpr Diag<std::string, std::string> kDamaged{DiagCode::RunRecordDamaged, Severity::kError,
                                                  "`{}` cannot be used: {}"};

using TextPairs = std::vector<std::pair<std::string, std::string>>;

Json json_of(const TextPairs& pairs) {
  Json object = Json::object();
  for (const auto& [key, value] : pairs) object.set(key, value);
  return object;
}

Json json_of(const FieldRecord& field) {
  Json json =
      Json::object()
          .set("name", field.name)
          .set("column_numbers", Json::Array(field.column_numbers.begin(), field.column_numbers.end()))
          .set("column_names", Json::array_of(field.column_names))
          .set("class_names", Json::array_of(field.class_names))
          .set("scale_subtract", field.scale_subtract)
          .set("scale_divide", field.scale_divide)
          .set("scale_multiply", field.scale_multiply);
  if (!field.image_shape.empty())
    json.set("image_shape", Json::Array(field.image_shape.begin(), field.image_shape.end()));
  return json;
}

Json json_of(const RunRecord& record) {
  Json fields = Json::array();
  for (const FieldRecord& field : record.fields) fields.push(json_of(field));
  Json results = Json::object();
  for (const auto& [name, value] : record.results) results.set(name, value);
  Json data = Json::object();
  data.set("name", record.data_name).set("file", record.data_file);
  data.set("header", Json::array_of(record.header)).set("fields", std::move(fields));
  Json json = Json::object().set("format", kFormat).set("program", record.program);
  json.set("model", record.model).set("started", record.started);
  json.set("seed", std::to_string(record.seed)).set("versions", json_of(record.versions));
  json.set("settings", json_of(record.settings)).set("overrides", json_of(record.overrides));
  json.set("data", std::move(data)).set("results", std::move(results)).set("seconds", record.seconds);
  json.set("ended", record.ended);
  return json;
}

/// Reads members; the first one that is missing or of another kind is remembered.
class MemberReader {
 public:
  const Json& member(const Json& object, std::string_view key) {
    static const Json kNothing;
    const Json* found = object.find(key);
    if (found == nullptr) fail(key);
    return found == nullptr ? kNothing : *found;
  }

  std::string text(const Json& object, std::string_view key) {
    const std::string* found = member(object, key).as_text();
    if (found == nullptr) fail(key);
    return found == nullptr ? "" : *found;
  }

  double number(const Json& object, std::string_view key) {
    const std::optional<double> found = member(object, key).as_number();
    if (!found) fail(key);
    return found.value_or(0);
  }

  std::vector<std::string> texts(const Json& object, std::string_view key) {
    std::vector<std::string> result;
    for (const Json& item : elements(object, key)) {
      if (item.as_text() == nullptr) fail(key);
      result.push_back(item.as_text() == nullptr ? "" : *item.as_text());
    }
    return result;
  }

  std::vector<std::int64_t> integers(const Json& object, std::string_view key) {
    std::vector<std::int64_t> result;
    for (const Json& item : elements(object, key)) {
      if (item.as_integer() == nullptr) fail(key);
      result.push_back(item.as_integer() == nullptr ? 0 : *item.as_integer());
    }
    return result;
  }

  TextPairs pairs(const Json& object, std::string_view key) {
    TextPairs result;
    for (const auto& [name, value] : members(object, key)) {
      if (value.as_text() == nullptr) fail(key);
      result.emplace_back(name, value.as_text() == nullptr ? "" : *value.as_text());
    }
    return result;
  }

  Json::Array elements(const Json& object, std::string_view key) {
    const Json::Array* found = member(object, key).as_array();
    if (found == nullptr) fail(key);
    return found == nullptr ? Json::Array{} : *found;
  }

  Json::Object members(const Json& object, std::string_view key) {
    const Json::Object* found = member(object, key).as_object();
    if (found == nullptr) fail(key);
    return found == nullptr ? Json::Object{} : *found;
  }

  void fail(std::string_view key) {
    if (error_.empty()) error_ = fmt::format("its `{}` is missing or damaged", key);
  }

  const std::string& error() const { return error_; }

 private:
  std::string error_;
};

FieldRecord field_from(MemberReader& reader, const Json& json) {
  FieldRecord field;
  field.name = reader.text(json, "name");
  field.column_numbers = reader.integers(json, "column_numbers");
  field.column_names = reader.texts(json, "column_names");
  field.class_names = reader.texts(json, "class_names");
  field.scale_subtract = reader.number(json, "scale_subtract");
  field.scale_divide = reader.number(json, "scale_divide");
  field.scale_multiply = reader.number(json, "scale_multiply");
  if (json.find("image_shape") != nullptr) field.image_shape = reader.integers(json, "image_shape");
  return field;
}

std::uint64_t seed_from(MemberReader& reader, const Json& json) {
  const std::string text = reader.text(json, "seed");
  const bool is_digits =
      !text.empty() && text.size() <= 20 && text.find_first_not_of("0123456789") == text.npos;
  if (!is_digits) {
    reader.fail("seed");
    return 0;
  }
  return std::strtoull(text.c_str(), nullptr, 10);
}

RunRecord record_from(MemberReader& reader, const Json& json) {
  RunRecord record;
  record.program = reader.text(json, "program");
  record.model = reader.text(json, "model");
  record.started = reader.text(json, "started");
  record.seed = seed_from(reader, json);
  record.versions = reader.pairs(json, "versions");
  record.settings = reader.pairs(json, "settings");
  record.overrides = reader.pairs(json, "overrides");
  const Json data = reader.member(json, "data");
  record.data_name = reader.text(data, "name");
  record.data_file = reader.text(data, "file");
  record.header = reader.texts(data, "header");
  for (const Json& field : reader.elements(data, "fields")) {
    record.fields.push_back(field_from(reader, field));
  }
  for (const auto& [name, value] : reader.members(json, "results")) {
    record.results.emplace_back(name, value.as_number().value_or(0));
  }
  record.seconds = reader.number(json, "seconds");
  record.ended = reader.text(json, "ended");
  return record;
}

/// Why this JSON is not a record of our format; empty if it is.
std::string format_fault(const Json& json) {
  const Json* format = json.find("format");
  const std::int64_t* number = format == nullptr ? nullptr : format->as_integer();
  if (number == nullptr) return "its `format` is missing";
  if (*number > kFormat) return fmt::format("it has format {}, this dlg knows up to {}", *number, kFormat);
  return "";
}

}  // namespace

bool write_run_record(const RunFolder& folder, const RunRecord& record, Diagnostics& diagnostics) {
  return write_file({folder.record(), "", {}}, json_text(json_of(record), 2) + "\n", diagnostics);
}

std::optional<RunRecord> read_run_record(const RunFolder& folder, Diagnostics& diagnostics) {
  const auto damaged = [&](const std::string& what) {
    diagnostics.report({}, kDamaged, folder.record(), what);
    return std::nullopt;
  };
  const std::optional<std::string> text = read_file({folder.record(), "", {}}, diagnostics);
  if (!text) return std::nullopt;
  const JsonResult json = parse_json(*text);
  if (!json.value) return damaged(json.error);
  if (const std::string fault = format_fault(*json.value); !fault.empty()) return damaged(fault);
  MemberReader reader;
  RunRecord record = record_from(reader, *json.value);
  if (!reader.error().empty()) return damaged(reader.error());
  return record;
}

std::string utc_time_text() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts = {};
  ::gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace dlg
