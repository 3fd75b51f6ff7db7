#include "driver/cli/imports.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "driver/cli/folder_tree.h"
#include "frontend/text/parser.h"
#include "runtime/files.h"
#include "support/text.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;

constexpr Diag<std::string, std::string> kRefused{DiagCode::ImportRefused, Severity::kError,
                                                  "`{}` may not be imported: {}"};
constexpr Diag<std::string> kCycle{DiagCode::ImportCycle, Severity::kError, "`{}` is imported in a circle"};

constexpr std::size_t kMostNested = 64;

/// Indexed by Outside.
constexpr std::array<std::string_view, 3> kReasons{"the path is absolute, expected one relative to this file",
                                                   "the path leaves the folder of this file",
                                                   "it is a link that leaves the folder of this file"};

/// The file, by whatever way one comes to it.
std::string identity_of(const fs::path& path) {
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(path, error);
  return (error ? path : canonical).string();
}

class ImportLoader {
 public:
  explicit ImportLoader(Session& session) : session_(session) {}

  std::vector<ast::File> run(ast::File& tree) {
    const fs::path path = session_.file_options.file;
    const std::string canonical = identity_of(path);
    known_[canonical] = tree.file;
    open_.push_back({canonical, path.string()});
    resolve(tree, path.parent_path());
    return std::move(files_);
  }

 private:
  /// A file that is being read, below those that import it.
  struct Open {
    std::string canonical;
    std::string shown;
  };

  void resolve(ast::File& tree, const fs::path& folder) {
    for (ast::Import& import : tree.imports) {
      if (const auto reason = reason_refused(import.path, folder)) {
        session_.diagnostics.report(import.path_range, kRefused, import.path, *reason);
      } else {
        load(import, folder);
      }
    }
  }

  std::optional<std::string> reason_refused(const std::string& text, const fs::path& folder) const {
    const fs::path path = fs::path(text).lexically_normal();
    if (text.empty() || path.filename().empty()) return "it names no file";
    if (open_.size() >= kMostNested) return fmt::format("imports nest at most {} deep", kMostNested);
    const std::optional<Outside> outside = outside_of(folder, path);
    if (!outside) return std::nullopt;
    return std::string(kReasons[static_cast<std::size_t>(*outside)]);
  }

  void load(ast::Import& import, const fs::path& folder) {
    const fs::path path = (folder / import.path).lexically_normal();
    const std::string canonical = identity_of(path);
    const auto is_it = [&](const Open& open) { return open.canonical == canonical; };
    const auto open = std::find_if(open_.begin(), open_.end(), is_it);
    if (open != open_.end()) return report_cycle(import, {open, open_.end()});
    const auto known = known_.find(canonical);
    if (known != known_.end()) {
      import.file = known->second;
      return;
    }
    const auto text = read_file({path.string(), import.path, import.path_range}, session_.diagnostics);
    if (!text) return;
    import.file = session_.sources.add(path.string(), *text);
    known_[canonical] = import.file;
    session_.imports.push_back({relative_to_program(path), import.file});
    ast::File tree = parse_file(session_.sources, import.file, session_.diagnostics);
    open_.push_back({canonical, path.string()});
    resolve(tree, path.parent_path());
    open_.pop_back();
    files_.push_back(std::move(tree));
  }

  void report_cycle(const ast::Import& import, std::vector<Open> circle) {
    std::string way = circle.front().shown;
    circle.push_back(circle.front());
    for (std::size_t i = 1; i < circle.size(); ++i) way += fmt::format(" imports {}", circle[i].shown);
    session_.diagnostics.report(import.path_range, kCycle, import.path).note(way);
  }

  std::string relative_to_program(const fs::path& path) const {
    return path.lexically_relative(fs::path(session_.file_options.file).parent_path().lexically_normal())
        .string();
  }

  Session& session_;
  std::vector<ast::File> files_;
  std::map<std::string, FileId> known_;  // by canonical path
  std::vector<Open> open_;
};

}  // namespace

std::vector<ast::File> load_imports(Session& session, ast::File& tree) {
  return ImportLoader(session).run(tree);
}

}  // namespace dlg
