#include "driver/race/scene.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "support/text.h"

namespace dlg {
namespace {

/// The digits of a place: a tenth of a point, without a sign on zero.
std::string place_text(double x) {
  const std::string text = fmt::format("{:.1f}", x);
  return text == "-0.0" ? "0.0" : text;
}

std::string_view anchor_word(Anchor anchor) {
  constexpr std::array<std::string_view, 3> kWords{"start", "middle", "end"};
  return kWords[static_cast<std::size_t>(anchor)];
}

std::string svg_path(const PathItem& path) {
  std::string data;
  for (const Point& point : path.points) {
    data += fmt::format("{}{} {}", data.empty() ? "M" : "L", place_text(point.x), place_text(point.y));
  }
  const std::string opacity =
      path.stroke.opacity < 1 ? fmt::format(" stroke-opacity=\"{}\"", path.stroke.opacity) : "";
  return fmt::format(
      "<path d=\"{}\" fill=\"none\" stroke=\"#{}\" stroke-width=\"{}\"{} stroke-linejoin=\"round\"/>\n", data,
      path.stroke.color, path.stroke.width, opacity);
}

std::string svg_mark(const MarkItem& mark) {
  return fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"#{}\"/>\n", place_text(mark.at.x),
                     place_text(mark.at.y), mark.radius, mark.color);
}

std::string svg_words(const TextItem& item) {
  const std::string x = place_text(item.at.x);
  const std::string y = place_text(item.at.y);
  const std::string turn = item.is_turned ? fmt::format(" transform=\"rotate(-90 {} {})\"", x, y) : "";
  const std::string_view ground =
      item.has_ground ? " stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\"" : "";
  return fmt::format(
      "<text x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"{}\" fill=\"#{}\"{}{}>{}</text>\n", x, y,
      item.size, anchor_word(item.anchor), item.color, turn, ground, escaped_markup(item.text));
}

std::string svg_panel(const Chart& panel, std::size_t number) {
  const std::string x = place_text(panel.low.x);
  const std::string y = place_text(panel.low.y);
  const std::string frame =
      fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", x, y,
                  place_text(panel.high.x - panel.low.x), place_text(panel.high.y - panel.low.y));
  std::string text = fmt::format("<clipPath id=\"panel{}\">{}/></clipPath>\n", number, frame);
  text += fmt::format("<g clip-path=\"url(#panel{})\">\n", number);
  for (const PathItem& path : panel.paths) text += svg_path(path);
  for (const MarkItem& mark : panel.marks) text += svg_mark(mark);
  return text + fmt::format("</g>\n{} fill=\"none\" stroke=\"#444444\"/>\n", frame);
}

/// Words as TeX shows them.
std::string escaped_tex(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '\\':
        escaped += "\\textbackslash{}";
        break;
      case '^':
        escaped += "\\textasciicircum{}";
        break;
      case '~':
        escaped += "\\textasciitilde{}";
        break;
      case '<':
      case '>':
        escaped += fmt::format("${}$", c);
        break;
      case '{':
      case '}':
      case '_':
      case '#':
      case '%':
      case '&':
      case '$':
        escaped += '\\';
        [[fallthrough]];
      default:
        escaped += c;
    }
  }
  return escaped;
}

/// TikZ measures y upwards; one point of the scene is 0.5 pt, so that a picture fits a page.
std::string tikz_point(const Scene& scene, Point point) {
  return fmt::format("({},{})", place_text(point.x), place_text(scene.height - point.y));
}

std::string tikz_path(const Scene& scene, const PathItem& path) {
  std::string points;
  for (const Point& point : path.points) {
    if (!points.empty()) points += " -- ";
    points += tikz_point(scene, point);
  }
  return fmt::format("\\draw[c{}, line width={}pt, opacity={}] {};\n", path.stroke.color,
                     path.stroke.width / 2, path.stroke.opacity, points);
}

std::string tikz_words(const Scene& scene, const TextItem& item) {
  constexpr std::array<std::string_view, 3> kAnchors{"base west", "base", "base east"};
  return fmt::format(
      "\\node[anchor={}, inner sep={}pt, c{}{}{}, font=\\fontsize{{{:.1f}}}{{{:.1f}}}\\selectfont] at {} "
      "{{{}}};\n",
      kAnchors[static_cast<std::size_t>(item.anchor)], item.has_ground ? 0.8 : 0.0, item.color,
      item.is_turned ? ", rotate=90" : "", item.has_ground ? ", fill=white" : "", item.size / 2,
      item.size * 0.6, tikz_point(scene, item.at), escaped_tex(item.text));
}

void collect(const std::vector<PathItem>& paths, std::set<Ink>& colors) {
  for (const PathItem& path : paths) colors.insert(path.stroke.color);
}

std::set<Ink> colors_of(const Scene& scene) {
  std::set<Ink> colors;
  for (const Chart& panel : scene.panels) {
    collect(panel.paths, colors);
    for (const MarkItem& mark : panel.marks) colors.insert(mark.color);
  }
  collect(scene.rules, colors);
  for (const TextItem& item : scene.texts) colors.insert(item.color);
  return colors;
}

}  // namespace

double words_width(const std::string& text, double size) {
  constexpr double kNarrow = 0.35;
  constexpr double kWide = 0.86;
  constexpr double kCapital = 0.7;
  constexpr double kUsual = 0.585;
  double width = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0U) == 0x80U) continue;  // inside of a character
    const bool is_narrow = std::string_view(" ()[]ijlft.,:;'|").find(c) != std::string_view::npos;
    const bool is_wide = std::string_view("mwMW@%").find(c) != std::string_view::npos || byte >= 0x80U;
    const bool is_capital = c >= 'A' && c <= 'Z';
    width += is_narrow ? kNarrow : is_wide ? kWide : is_capital ? kCapital : kUsual;
  }
  return width * size;
}

std::string svg_text(const Scene& scene) {
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"Helvetica, Arial, sans-serif\">\n<title>{2}</title>\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
      scene.width, scene.height, escaped_markup(scene.title));
  for (std::size_t i = 0; i < scene.panels.size(); ++i) text += svg_panel(scene.panels[i], i);
  for (const PathItem& rule : scene.rules) text += svg_path(rule);
  for (const TextItem& item : scene.texts) text += svg_words(item);
  return text + "</svg>\n";
}

std::string tikz_text(const Scene& scene) {
  std::string text = fmt::format("% {}\n\\begin{{tikzpicture}}[x=0.5pt, y=0.5pt]\n", scene.title);
  for (const Ink& color : colors_of(scene)) {
    std::string upper = color;
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c; });
    text += fmt::format("\\definecolor{{c{}}}{{HTML}}{{{}}}\n", color, upper);
  }
  for (const Chart& panel : scene.panels) {
    const std::string frame = tikz_point(scene, panel.low) + " rectangle " + tikz_point(scene, panel.high);
    text += fmt::format("\\begin{{scope}}\n\\clip {};\n", frame);
    for (const PathItem& path : panel.paths) text += tikz_path(scene, path);
    for (const MarkItem& mark : panel.marks) {
      text += fmt::format("\\fill[c{}] {} circle ({}pt);\n", mark.color, tikz_point(scene, mark.at),
                          mark.radius / 2);
    }
    text += fmt::format("\\end{{scope}}\n\\draw[line width=0.4pt] {};\n", frame);
  }
  for (const PathItem& rule : scene.rules) text += tikz_path(scene, rule);
  for (const TextItem& item : scene.texts) text += tikz_words(scene, item);
  return text + "\\end{tikzpicture}\n";
}

}  // namespace dlg
