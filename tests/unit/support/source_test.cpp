// Owns the tests of places in sources.
#include "support/source.h"

#include "tests/catch.h"

namespace dlg::test {
namespace {

TEST_CASE("every kind of line end counts once") {
  Sources sources;
  const FileId file = sources.add("t.dlg", "a\nb\r\nc\rd\n");
  CHECK(sources.line_count(file) == 5);
  CHECK(sources.line_text(file, 1) == "a");
  CHECK(sources.line_text(file, 2) == "b");
  CHECK(sources.line_text(file, 3) == "c");
  CHECK(sources.line_text(file, 4) == "d");
  CHECK(sources.line_text(file, 5).empty());
  CHECK(sources.line_column(file, 7).line == 4);
  CHECK(sources.line_column(file, 7).column == 1);
}

TEST_CASE("columns count code points") {
  Sources sources;
  const FileId file = sources.add("t.dlg", "\u00e9\t\u6f22x");
  CHECK(sources.line_column(file, 0).column == 1);
  CHECK(sources.line_column(file, 2).column == 2);
  CHECK(sources.line_column(file, 6).column == 4);
  CHECK(sources.line_column(file, 7).column == 5);
}

TEST_CASE("ranges join, print and give their text") {
  Sources sources;
  const FileId file = sources.add("t.dlg", "one\ntwo three");
  const SourceRange two{file, 4, 7};
  const SourceRange three{file, 8, 13};
  CHECK(sources.text(two) == "two");
  CHECK(sources.text(join(two, three)) == "two three");
  CHECK(join(two, SourceRange{}) == two);
  CHECK(join(SourceRange{}, two) == two);
  CHECK(sources.line_reference(three) == "t.dlg:2");
  CHECK(sources.line_reference({}).empty());
}

TEST_CASE("an empty file has one empty line") {
  Sources sources;
  const FileId file = sources.add("std/empty.dlg", "", FileOrigin::kStd);
  CHECK(sources.line_count(file) == 1);
  CHECK(sources.line_text(file, 1).empty());
  CHECK(sources.origin(file) == FileOrigin::kStd);
}

TEST_CASE("shared files are the same in all sources that share them") {
  Sources shared = Sources::to_share();
  const FileId std_file = shared.add("std/one.dlg", "first\nsecond", FileOrigin::kStd);
  for (const std::string text : {"x", "other\ntext"}) {
    Sources sources;
    const FileId own = sources.add("t.dlg", text);
    sources.share(shared);
    CHECK(sources.text(own) == text);
    CHECK(sources.origin(own) == FileOrigin::kUser);
    CHECK(sources.line_reference({std_file, 6, 12}) == "std/one.dlg:2");
    CHECK(sources.text({std_file, 6, 12}) == "second");
    CHECK(sources.origin(std_file) == FileOrigin::kStd);
  }
  CHECK(shared.text({std_file, 0, 5}) == "first");
}

}  // namespace
}  // namespace dlg::test
