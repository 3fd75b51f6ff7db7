#include "codegen/annotate.h"

#include <fmt/format.h>
#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/InstIterator.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "codegen/emit.h"
#include "codegen/equal_kernels.h"
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
  /// Which kernel, from 1, the lines behind this one belong to; 0: none. nullopt: the line says nothing.
  std::optional<std::size_t> (*marks)(std::string_view line);
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
                     [](std::string_view line) { return line.substr(0, 2) == "  "; },
                     [](std::string_view) { return std::optional<std::size_t>(); }};

/// Of `.loc FILE LINE COLUMN`, as mark_kernels asked for it.
std::optional<std::size_t> marked_line(std::string_view line) {
  constexpr std::string_view kBegin = "\t.loc\t";
  if (line.substr(0, kBegin.size()) != kBegin) return std::nullopt;
  const std::size_t blank = line.find(' ', kBegin.size());
  std::size_t number = 0;
  std::from_chars(line.data() + blank + 1, line.data() + line.size(), number);
  return number;
}

constexpr Form kAssembly{"#", assembly_function,
                         [](std::string_view line) { return line.substr(0, 11) == ".Lfunc_end"; },
                         [](std::string_view line) {
                           return line.size() > 1 && line[0] == '\t' && line[1] != '.' && line[1] != '#';
                         },
                         marked_line};

/// Kernels by the names of their functions, in both forms.
std::unordered_map<std::string, std::size_t> kernels_by_symbol(const loop::Program& program) {
  std::unordered_map<std::string, std::size_t> kernels;
  for (std::size_t i = 0; i < program.kernels.size(); ++i) {
    const std::string symbol = kernel_symbol(program, i);
    kernels[symbol] = kernels[symbol + std::string(kRaggedSuffix)] = i;
  }
  return kernels;
}

std::string place_of(const loop::Kernel& kernel, const Sources& sources) {
  return fmt::format("{} {}", sources.line_reference(kernel.origin), kernel.name);
}

/// The kernels that each function with loops makes, by the number of the first.
std::vector<std::vector<std::size_t>> equal_kernels(const loop::Program& program) {
  const std::vector<std::size_t> first = first_equal_kernels(program);
  std::vector<std::vector<std::size_t>> equal(first.size());
  for (std::size_t i = 0; i < first.size(); ++i) equal[first[i]].push_back(i);
  return equal;
}

std::string annotate(const std::string& text, const Form& form, const loop::Program& program,
                     const Sources& sources) {
  const std::unordered_map<std::string, std::size_t> kernels = kernels_by_symbol(program);
  const std::vector<std::vector<std::size_t>> equal = equal_kernels(program);
  const bool is_straight = program.schedule->form == StepForm::kStraight;
  std::string result;
  std::string place;  // of the kernel around the line
  for (const std::string_view line : split_text(text, '\n')) {
    if (const std::string_view symbol = line.empty() ? line : form.begins(line); !symbol.empty()) {
      const auto found = kernels.find(std::string(symbol));
      place = found == kernels.end() ? "" : place_of(program.kernels[found->second], sources);
      std::vector<std::size_t> made;
      if (!place.empty()) made = {found->second};
      if (!place.empty() && (!is_straight || symbol.ends_with(kRaggedSuffix))) made = equal[found->second];
      for (const std::size_t i : made) {
        const loop::Kernel& kernel = program.kernels[i];
        result += fmt::format("{} {}: {}\n", form.comment, place_of(kernel, sources), kernel.comment);
      }
    } else if (form.is_end(line)) {
      place.clear();
    } else if (const auto number = form.marks(line)) {
      place = *number == 0 ? "" : place_of(program.kernels[*number - 1], sources);
      continue;
    }
    result += line;
    if (!place.empty() && form.is_instruction(line)) result += fmt::format("  {} {}", form.comment, place);
    result += '\n';
  }
  result.pop_back();  // the text's own last line end is the last separator
  return result;
}

}  // namespace

void mark_kernels(llvm::Module& module, const loop::Program& program) {
  const std::unordered_map<std::string, std::size_t> kernels = kernels_by_symbol(program);
  module.addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
  llvm::DIBuilder info(module);
  llvm::DIFile* file = info.createFile("kernels", ".");
  info.createCompileUnit(llvm::dwarf::DW_LANG_C, file, "dlg", true, "", 0, "",
                         llvm::DICompileUnit::DebugDirectivesOnly);
  llvm::DISubroutineType* type = info.createSubroutineType(info.getOrCreateTypeArray({}));
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    const auto found = kernels.find(function.getName().str());
    const auto line = static_cast<unsigned>(found == kernels.end() ? 0 : found->second + 1);
    llvm::DISubprogram* subprogram =
        info.createFunction(file, function.getName(), "", file, line, type, line, llvm::DINode::FlagZero,
                            llvm::DISubprogram::SPFlagDefinition);
    function.setSubprogram(subprogram);
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
      instruction.setDebugLoc(llvm::DILocation::get(module.getContext(), line, 0, subprogram));
    }
  }
  info.finalize();
}

std::string annotate_llvm(const std::string& text, const loop::Program& program, const Sources& sources) {
  return annotate(text, kLlvm, program, sources);
}

std::string annotate_assembly(const std::string& text, const loop::Program& program, const Sources& sources) {
  return annotate(text, kAssembly, program, sources);
}

}  // namespace dlg
