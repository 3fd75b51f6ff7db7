#include "codegen/annotate.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "codegen/emit.h"
#include "support/text.h"

namespace dlg {
namespace {

/// How one kind of text looks.
struct Form {
  std::string_view comment;
  /// The symbol of the function that begins on this line, or empty.
  std::string_view (*begins)(std::string_view line);
  bool (*is_end)(std::string_view line);
  bool (*is_instruction)(std::string_view line);
};

std::string_view llvm_function(std::string_view line) {
  const std::size_t at = line.find('@');
  if (line.substr(0, 7) != "define " || at == std::string_view::npos) return {};
  return line.substr(at + 1, line.find('(', at) - at - 1);
}

std::string_view assembly_function(std::string_view line) {
  const std::size_t colon = line.find(':');
  const bool is_label = colon != std::string_view::npos && line.front() != '\t' && line.front() != '.';
  return is_label ? line.substr(0, colon) : std::string_view();
}

constexpr Form kLlvm{";", llvm_function, [](std::string_view line) { return line == "}"; },
                     [](std::string_view line) { return line.substr(0, 2) == "  "; }};

constexpr Form kAssembly{"#", assembly_function,
                         [](std::string_view line) { return line.substr(0, 11) == ".Lfunc_end"; },
                         [](std::string_view line) {
                           return line.size() > 1 && line[0] == '\t' && line[1] != '.' && line[1] != '#';
                         }};

std::string annotate(const std::string& text, const Form& form, const loop::Program& program,
                     const Sources& sources) {
  std::unordered_map<std::string, std::size_t> kernels;
  for (std::size_t i = 0; i < program.kernels.size(); ++i) kernels[kernel_symbol(program, i)] = i;
  std::string result;
  std::string place;  // of the kernel around the line
  for (const std::string_view line : split_text(text, '\n')) {
    if (const std::string_view symbol = line.empty() ? line : form.begins(line); !symbol.empty()) {
      const auto found = kernels.find(std::string(symbol));
      const loop::Kernel* kernel = found == kernels.end() ? nullptr : &program.kernels[found->second];
      place =
          kernel == nullptr ? "" : fmt::format("{} {}", sources.line_reference(kernel->origin), kernel->name);
      if (kernel != nullptr) result += fmt::format("{} {}: {}\n", form.comment, place, kernel->comment);
    } else if (form.is_end(line)) {
      place.clear();
    }
    result += line;
    if (!place.empty() && form.is_instruction(line)) result += fmt::format("  {} {}", form.comment, place);
    result += '\n';
  }
  result.pop_back();  // the text's own last line end is the last separator
  return result;
}

}  // namespace

std::string annotate_llvm(const std::string& text, const loop::Program& program, const Sources& sources) {
  return annotate(text, kLlvm, program, sources);
}

std::string annotate_assembly(const std::string& text, const loop::Program& program, const Sources& sources) {
  return annotate(text, kAssembly, program, sources);
}

}  // namespace dlg
