// Owns `dlg new`: a starting example in a new folder.
#include <fmt/ostream.h>

#include <filesystem>
#include <fstream>

#include "driver/cli/usage.h"
#include "driver/verbs/examples.h"
#include "driver/verbs/verbs.h"

namespace dlg {
namespace {

constexpr std::string_view kDefaultTemplate = "xor";

struct NewOptions {
  std::string folder;         // NAME
  std::string template_name;  // --template; empty: by NAME
};

void add_options(CommandOptions& options, NewOptions& wanted) {
  options.text(
      {"NAME", "folder to write: backprop, digits or xor are ready examples", "", Presence::kRequired},
      wanted.folder);
  options.text({"--template", "which example to start from (default: by NAME, else xor)"},
               wanted.template_name);
}

std::string_view template_of(const ExampleFile& file) {
  return file.name.substr(0, file.name.find('/'));
}

std::vector<std::string> template_names() {
  std::vector<std::string> names;
  for (const ExampleFile& file : example_files()) {
    if (names.empty() || names.back() != template_of(file)) names.emplace_back(template_of(file));
  }
  return names;
}

bool is_template(const std::string& name) {
  const std::vector<std::string> names = template_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

int unknown_template(Session& session, const std::string& name) {
  check_word({"--template", name, template_names()}, "dlg new --help", session.streams.err);
  return kExitUsage;
}

int cannot_write(Session& session, const std::filesystem::path& path, std::string_view reason) {
  fmt::print(session.streams.err, "dlg: cannot write `{}`: {}\n", path.string(), reason);
  return kExitEnvironment;
}

}  // namespace

int verb_new(Session& session, CommandLine& line) {
  NewOptions options;
  if (!line.read(options)) return line.exit_code();
  const std::filesystem::path folder = options.folder;
  std::string name = options.template_name;
  if (name.empty())
    name = is_template(folder.filename().string()) ? folder.filename().string() : kDefaultTemplate;
  if (!is_template(name)) return unknown_template(session, name);
  std::error_code error;
  if (std::filesystem::exists(folder, error)) {
    return cannot_write(session, folder, "it exists already; dlg overwrites nothing");
  }
  if (!std::filesystem::create_directories(folder, error))
    return cannot_write(session, folder, error.message());
  std::string program;
  for (const ExampleFile& file : example_files()) {
    if (template_of(file) != name) continue;
    const std::filesystem::path path = folder / file.name.substr(file.name.find('/') + 1);
    std::ofstream stream(path, std::ios::binary);
    stream << file.text;
    if (!stream.flush()) return cannot_write(session, path, "the disk is full or the folder is read-only");
    if (path.extension() == ".dlg") program = path.string();
    fmt::print(session.streams.out, "created {}\n", path.string());
  }
  fmt::print(session.streams.err, "next: dlg check {}\n      dlg train {}\n", program, program);
  return kExitOk;
}

}  // namespace dlg
