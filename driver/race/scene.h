// Owns drawings: a flat list of lines, marks and words in points, and its two written forms, SVG and TikZ.
#pragma once

#include <string>
#include <vector>

#include "driver/race/contours.h"

namespace dlg {

/// A colour, as six hexadecimal digits: "1f77b4".
using Ink = std::string;

struct Stroke {
  Ink color;
  double width = 1;
  double opacity = 1;
};

struct PathItem {
  std::vector<Point> points;
  Stroke stroke;
};

/// A small disc, or a cross for the end of what left the picture.
struct MarkItem {
  Point at;
  Ink color;
  double radius = 3;
};

enum class Anchor { kStart, kMiddle, kEnd };

struct TextItem {
  Point at;
  std::string text;
  Anchor anchor = Anchor::kStart;
  double size = 11;
  Ink color;
  bool is_turned = false;   // reads upwards
  bool has_ground = false;  // white behind the letters, for words on lines
};

/// Everything inside a frame is cut off at it.
struct Chart {
  Point low;
  Point high;
  std::vector<PathItem> paths;
  std::vector<MarkItem> marks;
};

/// y goes down, as in SVG. Panels first, words and rules over them.
struct Scene {
  double width = 0;
  double height = 0;
  std::string title;
  std::vector<Chart> panels;
  std::vector<PathItem> rules;
  std::vector<TextItem> texts;
};

/// About how wide words are in Helvetica or Arial, rather too wide.
double words_width(const std::string& text, double size);

/// A whole SVG file, without anything from outside.
std::string svg_text(const Scene& scene);

/// A picture for LaTeX: `\input` it with the package tikz. Colours are defined inside.
std::string tikz_text(const Scene& scene);

}  // namespace dlg
