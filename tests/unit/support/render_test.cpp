// Owns the tests of rendered diagnostics: whole texts, as a terminal shows them.
#include "support/render.h"

#include "tests/catch.h"
#include "tests/unit/support/diagnostics.h"

namespace dlg::test {
namespace {

std::string show(const Sources& sources, const Diagnostics& diagnostics) {
  return render(sources, diagnostics.all()[0], Color::kOff);
}

TEST_CASE("a range is shown with its line, its column and carets") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("net.dlg", "dlg 1\nz = W2 @ h\n");
  diagnostics.report(find(sources, file, "W2"), kTestError, "W2");
  CHECK(show(sources, diagnostics) ==
        "error[DLG0112]: found `W2`\n"
        " --> net.dlg:2:5\n"
        "  |\n"
        "2 | z = W2 @ h\n"
        "  |     ^^\n");
}

TEST_CASE("of a file without a text the name is shown, and neither a place nor a line") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("net.dlg", "");
  diagnostics.report({file, 0, 0}, kTestError, "W2").note("did you mean `nett.dlg`?");
  CHECK(show(sources, diagnostics) ==
        "error[DLG0112]: found `W2`\n"
        " --> net.dlg\n"
        "  |\n"
        "  = note: did you mean `nett.dlg`?\n");
}

TEST_CASE("markers of one line share the caret line, and all but the last text hang below") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("net.dlg", "H = W1 @ x + b1");
  diagnostics.report(find(sources, file, "@"), kTestError, "@")
      .here("these do not contract")
      .label(find(sources, file, "W1"), "`[mid, inp]`")
      .label(find(sources, file, "x"), "`[out]`");
  CHECK(show(sources, diagnostics) ==
        "error[DLG0112]: found `@`\n"
        " --> net.dlg:1:8\n"
        "  |\n"
        "1 | H = W1 @ x + b1\n"
        "  |     -- ^ - `[out]`\n"
        "  |     |  |\n"
        "  |     |  these do not contract\n"
        "  |     `[mid, inp]`\n");
}

TEST_CASE("a marker inside a larger one hangs, for the larger one ends later") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("net.dlg", "a + b + c");
  diagnostics.report(find(sources, file, "b"), kTestError, "b")
      .here("here")
      .label(find(sources, file, "a + b + c"), "in this sum");
  CHECK(show(sources, diagnostics) ==
        "error[DLG0112]: found `b`\n"
        " --> net.dlg:1:5\n"
        "  |\n"
        "1 | a + b + c\n"
        "  | ----^----\n"
        "  | |   |\n"
        "  | |   here\n"
        "  | in this sum\n");
}

TEST_CASE("labels of other lines have lines of their own, with a gap where lines are left out") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("net.dlg", "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten");
  diagnostics.report(find(sources, file, "ten"), kTestError, "ten")
      .here("again")
      .label(find(sources, file, "one"), "first")
      .label(find(sources, file, "three"), "second")
      .label(find(sources, file, "four"), "");
  CHECK(show(sources, diagnostics) ==
        "error[DLG0112]: found `ten`\n"
        "  --> net.dlg:10:1\n"
        "   |\n"
        " 1 | one\n"
        "   | --- first\n"
        " 2 | two\n"
        " 3 | three\n"
        "   | ----- second\n"
        " 4 | four\n"
        "   | ----\n"
        "...\n"
        "10 | ten\n"
        "   | ^^^ again\n");
}

TEST_CASE("a label in another file has a block of its own") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId user = sources.add("net.dlg", "y = dense(x)");
  const FileId library =
      sources.add("std/layers.dlg", "dlg 1\nfn dense(x: [n], units: int)", FileOrigin::kStd);
  diagnostics.report(find(sources, user, "dense(x)"), kTestError, "dense")
      .label(find(sources, library, "units"), "this argument is missing");
  CHECK(show(sources, diagnostics) ==
        "error[DLG0112]: found `dense`\n"
        " --> net.dlg:1:5\n"
        "  |\n"
        "1 | y = dense(x)\n"
        "  |     ^^^^^^^^\n"
        " ::: std/layers.dlg:2:18\n"
        "  |\n"
        "2 | fn dense(x: [n], units: int)\n"
        "  |                  ----- this argument is missing\n");
}

TEST_CASE("notes and the suggested line follow") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("net.dlg", "h = sigmoud(H)\nz = 1");
  diagnostics.report(find(sources, file, "sigmoud"), kTestError, "sigmoud")
      .note("first note\nin two lines")
      .note("second note")
      .suggest(find(sources, file, "sigmoud"), "sigmoid", "did you mean `sigmoid`?");
  CHECK(show(sources, diagnostics) ==
        "error[DLG0112]: found `sigmoud`\n"
        " --> net.dlg:1:5\n"
        "  |\n"
        "1 | h = sigmoud(H)\n"
        "  |     ^^^^^^^\n"
        "  |\n"
        "  = note: first note\n"
        "          in two lines\n"
        "  = note: second note\n"
        "help: did you mean `sigmoid`?\n"
        "  |\n"
        "1 | h = sigmoid(H)\n"
        "  |     ~~~~~~~\n");
}

TEST_CASE("an insertion, a deletion and an inserted line") {
  Sources sources;
  const FileId file = sources.add("net.dlg", "a b");
  const auto help = [&](SourceRange range, std::string replacement) {
    Diagnostics diagnostics;
    diagnostics.report(range, kTestError, "x").suggest(range, std::move(replacement), "this");
    const std::string text = show(sources, diagnostics);
    return text.substr(text.find("help"));
  };
  CHECK(help({file, 2, 2}, "* ") == "help: this\n  |\n1 | a * b\n  |   ++\n");
  CHECK(help({file, 1, 3}, "") == "help: this\n  |\n1 | a\n");
  CHECK(help({file, 0, 0}, "dlg 1\n") == "help: this\n  |\n1 | dlg 1\n  | +++++\n2 | a b\n");
}

TEST_CASE("columns count characters; tabs, wide and combining characters keep the carets in place") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("net.dlg", "\t\"\u6f22e\u0301\" x");
  diagnostics.report(find(sources, file, "x"), kTestError, "x");
  CHECK(show(sources, diagnostics) ==
        "error[DLG0112]: found `x`\n"
        " --> net.dlg:1:8\n"
        "  |\n"
        "1 |     \"\u6f22e\u0301\" x\n"
        "  |           ^\n");
}

TEST_CASE("control and invisible characters are shown as a replacement character") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("net.dlg", "a\x1b[31m \u202e x");
  diagnostics.report(find(sources, file, "x"), kTestError, "\x1b[2J");
  CHECK(show(sources, diagnostics) ==
        "error[DLG0112]: found `\ufffd[2J`\n"
        " --> net.dlg:1:10\n"
        "  |\n"
        "1 | a\ufffd[31m \ufffd x\n"
        "  |          ^\n");
}

TEST_CASE("a long line is cut around the range") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file =
      sources.add("net.dlg", std::string(5'000'000, 'a') + " here " + std::string(5'000'000, 'b'));
  diagnostics.report(find(sources, file, "here"), kTestError, "here").label({file, 3, 5}, "far away");
  CHECK(show(sources, diagnostics) ==
        "error[DLG0112]: found `here`\n"
        " --> net.dlg:1:5000002\n"
        "  |\n"
        "1 | ..." +
            std::string(59, 'a') + " here " + std::string(75, 'b') +
            "...\n"
            "  |    -" +
            std::string(59, ' ') +
            "^^^^\n"
            "  |    |\n"
            "  |    far away\n");
}

TEST_CASE("a range over several lines is marked to the end of its first, an empty one with one caret") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("net.dlg", "f(a,\r\n  b)\r\n");
  diagnostics.report(find(sources, file, "(a,\r\n  b)"), kTestError, "(");
  CHECK(show(sources, diagnostics) ==
        "error[DLG0112]: found `(`\n --> net.dlg:1:2\n  |\n1 | f(a,\n  |  ^^^\n");
  Diagnostics at_end;
  at_end.report({file, 4, 4}, kTestError, "end");
  CHECK(show(sources, at_end) == "error[DLG0112]: found `end`\n --> net.dlg:1:5\n  |\n1 | f(a,\n  |     ^\n");
  Diagnostics behind;
  behind.report({file, 12, 12}, kTestError, "end");
  CHECK(show(sources, behind) == "error[DLG0112]: found `end`\n --> net.dlg:3:1\n  |\n3 |\n  | ^\n");
}

TEST_CASE("without a place there is the message alone") {
  Sources sources;
  Diagnostics diagnostics;
  diagnostics.report({}, kTestWarning).note("a note");
  CHECK(show(sources, diagnostics) == "warning[DLG0117]: a warning\n  = note: a note\n");
}

TEST_CASE("colors stand around words and end with the line") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("net.dlg", "a b");
  diagnostics.report({file, 2, 3}, kTestError, "b").here("here");
  CHECK(render(sources, diagnostics.all()[0], Color::kOn) ==
        "\x1b[1;31merror[DLG0112]\x1b[0m\x1b[1m: found `b`\x1b[0m\n"
        "\x1b[1;34m --> \x1b[0mnet.dlg:1:3\n"
        "\x1b[1;34m  |\x1b[0m\n"
        "\x1b[1;34m1 |\x1b[0m a b\n"
        "  \x1b[1;34m|\x1b[0m   \x1b[1;31m^ here\x1b[0m\n");
}

TEST_CASE("all diagnostics come in the order of the text and end with their number") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("net.dlg", "a b");
  CHECK(render_all(sources, diagnostics, Color::kOff).empty());
  diagnostics.report({file, 2, 3}, kTestError, "b");
  diagnostics.report({file, 0, 1}, kTestError, "a");
  diagnostics.report({file, 0, 1}, kTestWarning);
  const std::string text = render_all(sources, diagnostics, Color::kOff);
  CHECK(text.find("found `a`") < text.find("a warning"));
  CHECK(text.find("a warning") < text.find("found `b`"));
  CHECK(text.substr(text.size() - 26) == "\ndlg: 2 errors, 1 warning\n");
}

TEST_CASE("beyond the limit diagnostics are only counted") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("net.dlg", std::string(30, 'a'));
  for (std::uint32_t i = 0; i < 25; ++i) diagnostics.report({file, i, i + 1}, kTestError, "a");
  const std::string text = render_all(sources, diagnostics, Color::kOff, 20);
  CHECK(text.find("net.dlg:1:20") != std::string::npos);
  CHECK(text.find("net.dlg:1:21") == std::string::npos);
  CHECK(text.substr(text.rfind("dlg:")) == "dlg: 25 errors; the first 20 are shown\n");
}

}  // namespace
}  // namespace dlg::test
