// Owns docs/library.md: every function of the language and of std/ with its signature, its meaning and an
// example.
#pragma once

#include <string>
#include <vector>

namespace dlg {

/// One name. Forms and overloads of its signature stand side by side, with "` or `" between them. In std/ the
/// comment above a definition is its doc, but for the line `# example: ...`.
struct LibraryEntry {
  std::string name;
  std::string signature;
  std::string doc;
  std::string example;
};

struct LibrarySection {
  std::string title;
  std::string doc;  // the comment at the head of a file of std/
  std::vector<LibraryEntry> entries;
};

/// The built-in functions by their groups, then the files of std/.
std::vector<LibrarySection> library_sections();

/// What became of an example in its program.
struct ExampleOutcome {
  std::string errors;  // a line each
  std::string value;  // "[0, 2]" by the f64 interpreter, several with "`, `" between; empty where it has none
};

/// Compiles the example within the program that the document shows: it takes the place of the line that
/// begins with the same word, an expression that of what is right of `result =`.
ExampleOutcome run_example(const std::string& example);

/// The document, in Markdown.
std::string library_reference();

}  // namespace dlg
