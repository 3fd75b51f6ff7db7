// Owns the tests of places that a text only names.
#include "ir/graph/named_places.h"

#include "tests/catch.h"

using namespace dlg;

TEST_CASE("a named place has its file's name and its line") {
  Sources sources;
  NamedPlaces places;
  places.note({"net.dlg", 14});
  places.note({"net.dlg", 3});
  places.note({"own.dlg", 1});
  places.add_to(sources);
  CHECK(sources.line_reference(places.range({"net.dlg", 14})) == "net.dlg:14");
  CHECK(sources.line_reference(places.range({"net.dlg", 3})) == "net.dlg:3");
  CHECK(sources.line_reference(places.range({"own.dlg", 1})) == "own.dlg:1");
}

TEST_CASE("named files take no more memory than one large file, whatever a text claims") {
  Sources sources;
  NamedPlaces places;
  places.note({"a.dlg", 600'000});
  places.note({"b.dlg", 600'000});
  places.note({"c.dlg", 1'000'000'000'000});
  places.note({"d.dlg", 400'000});
  places.add_to(sources);
  CHECK(sources.line_reference(places.range({"a.dlg", 600'000})) == "a.dlg:600000");
  CHECK_FALSE(places.range({"b.dlg", 600'000}).is_valid());
  CHECK_FALSE(places.range({"c.dlg", 1'000'000'000'000}).is_valid());
  CHECK(sources.line_reference(places.range({"d.dlg", 400'000})) == "d.dlg:400000");
}
