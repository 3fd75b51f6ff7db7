// Owns the tests of JSON text and strict reading.
#include <cmath>
#include <limits>

#include "runtime/json.h"
#include "runtime/utf8.h"
#include "tests/catch.h"

namespace dlg {
namespace {

std::string fault_of(std::string_view text, int max_depth = 64) {
  const JsonResult result = parse_json(text, max_depth);
  CHECK_FALSE(result.value);
  return result.error;
}

std::string again(std::string_view text) {
  const JsonResult result = parse_json(text);
  INFO(result.error);
  REQUIRE(result.value);
  return json_text(*result.value);
}

}  // namespace

TEST_CASE("json text keeps the order of members and every bit of a number") {
  Json object = Json::object().set("z", 0.1).set("a", 1).set("n", Json());
  object.set("list", Json::array().push(true).push("x\"\n"));
  CHECK(json_text(object) == R"({"z":0.1,"a":1,"n":null,"list":[true,"x\"\n"]})");
  object.set("z", 2.0);
  CHECK(json_text(object) == R"({"z":2,"a":1,"n":null,"list":[true,"x\"\n"]})");
  CHECK(json_text(Json(1e300)) == "1e+300");
}

TEST_CASE("numbers that JSON does not know are text") {
  CHECK(json_text(Json(std::nan(""))) == R"("nan")");
  CHECK(json_text(Json(-std::numeric_limits<double>::infinity())) == R"("-inf")");
  CHECK(std::isnan(*parse_json(R"("nan")").value->as_number()));
  CHECK_FALSE(parse_json(R"("5")").value->as_number());
  CHECK(json_text(Json(std::uint64_t{18446744073709551615u})) == R"("18446744073709551615")");
}

TEST_CASE("indented json has one member a line and flat lists on one") {
  const Json object = Json::object().set("a", Json::array().push(1).push(2)).set("b", Json::object());
  CHECK(json_text(object, 2) == "{\n  \"a\": [1, 2],\n  \"b\": {}\n}");
  const Json nested = Json::array().push(Json::object().set("k", 1));
  CHECK(json_text(nested, 2) == "[\n  {\n    \"k\": 1\n  }\n]");
}

TEST_CASE("bytes that are no UTF-8 are replaced") {
  CHECK(json_text(Json("a\xFF")) == "\"a\xEF\xBF\xBD\"");
}

TEST_CASE("json reads back") {
  CHECK(again(R"({"a":[1,2.5,"x",null,true,{"b":[]}]})") == R"({"a":[1,2.5,"x",null,true,{"b":[]}]})");
  CHECK(again(" [ 1 ] ") == "[1]");
  CHECK(parse_json("9223372036854775807").value->as_integer() != nullptr);
  CHECK(parse_json("9223372036854775808").value->as_integer() == nullptr);
  CHECK(parse_json("1.0").value->as_integer() == nullptr);
  CHECK(*parse_json("-3").value->as_integer() == -3);
}

TEST_CASE("json that is not strict is refused") {
  CHECK(fault_of(R"({"a":1,"a":2})") == "the key `a` occurs twice");
  CHECK(fault_of("[[[1]]]", 2) == "it is nested deeper than 2 levels");
  CHECK(fault_of(std::string(100'000, '[')) == "it is nested deeper than 64 levels");
  CHECK(fault_of("[1] 2") == "it is no JSON at byte 5");
  CHECK(fault_of("{") == "it is no JSON at byte 2");
  CHECK(fault_of("") == "it is no JSON at byte 1");
  CHECK_FALSE(fault_of("NaN").empty());
  CHECK_FALSE(fault_of("[1,]").empty());
  CHECK_FALSE(fault_of("'a'").empty());
  CHECK_FALSE(fault_of("\"\xFF\"").empty());
  CHECK_FALSE(fault_of("1e999").empty());
}

TEST_CASE("utf-8") {
  CHECK(is_utf8("plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"));
  for (const std::string_view bad : {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80",
                                     "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xE2\x28\xA1"}) {
    CHECK_FALSE(is_utf8(bad));
  }
}

}  // namespace dlg
