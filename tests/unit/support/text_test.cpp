// Owns the tests of small text helpers and of UTF-8.
#include "support/text.h"

#include <cmath>
#include <limits>

#include "support/unicode.h"
#include "tests/catch.h"

namespace dlg::test {
namespace {

TEST_CASE("numbers read back to the same double") {
  for (const double value : {0.0, -0.0, 0.1, 1e300, 4.9e-324, 1.0 / 3, 6.02e23, -17.0}) {
    const std::optional<double> again = parse_number(number_text(value));
    REQUIRE(again);
    CHECK(*again == value);
    CHECK(std::signbit(*again) == std::signbit(value));
  }
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(number_text(std::nan("")) == "nan");
}

TEST_CASE("only a whole number is read") {
  CHECK(parse_number("+2.5") == 2.5);
  CHECK(parse_number("1e-310") == 1e-310);
  for (const char* text : {"", "1e999", "1e-999", "1x", " 1", "1 ", "1,5", "0x10"}) {
    INFO(text);
    CHECK_FALSE(parse_number(text));
  }
}

TEST_CASE("lists and words") {
  CHECK(join_words({}) == "");
  CHECK(join_words({"a"}) == "a");
  CHECK(join_words({"a", "b", "c"}) == "a, b and c");
  CHECK(join_words({"a", "b"}, " or ") == "a or b");
  CHECK(join_text({"a", "b"}, "; ") == "a; b");
  CHECK(split_text("a,,b", ',') == std::vector<std::string_view>{"a", "", "b"});
  CHECK(split_text("", ',') == std::vector<std::string_view>{""});
  CHECK(trim(" \t a b \r\n") == "a b");
  CHECK(trim("  ").empty());
  CHECK(counted(1, "step") == "1 step");
  CHECK(counted(0, "step") == "0 steps");
}

TEST_CASE("text inside of markup, and bytes as letters") {
  CHECK(escaped_markup("a < b & \"c\" > d") == "a &lt; b &amp; &quot;c&quot; &gt; d");
  // The examples of RFC 4648.
  CHECK(base64_text("").empty());
  CHECK(base64_text("f") == "Zg==");
  CHECK(base64_text("fo") == "Zm8=");
  CHECK(base64_text("foo") == "Zm9v");
  CHECK(base64_text("foob") == "Zm9vYg==");
  CHECK(base64_text("foobar") == "Zm9vYmFy");
  CHECK(base64_text("\xff\xfe\xfb") == "//77");
}

TEST_CASE("UTF-8 is read strictly") {
  CHECK(decode_utf8("a", 0)->value == U'a');
  CHECK(decode_utf8("\u00e9", 0)->length == 2);
  CHECK(decode_utf8("\u6f22", 0)->value == 0x6f22);
  CHECK(decode_utf8("\U0001f600", 0)->length == 4);
  for (const char* text :
       {"\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "\xff"}) {
    CHECK_FALSE(decode_utf8(text, 0));
  }
  CHECK_FALSE(decode_utf8("", 0));
  CHECK(find_invalid_utf8("ab\xff") == 2U);
  CHECK_FALSE(find_invalid_utf8("a\u00e9"));
}

TEST_CASE("widths on a terminal, and what nobody sees") {
  CHECK(display_width(U'a') == 1);
  CHECK(display_width(U'\u0301') == 0);
  CHECK(display_width(U'\u6f22') == 2);
  CHECK(display_width(U'\U0001f600') == 2);
  CHECK(is_invisible(U'\u202e'));
  CHECK(is_invisible(U'\u200b'));
  CHECK_FALSE(is_invisible(U'\u00a0'));
}

}  // namespace
}  // namespace dlg::test
