#include "driver/cli/command_line.h"

#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <utility>

#include "codegen/jit.h"
#include "driver/cli/session.h"
#include "driver/cli/usage.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr std::string_view kVersion = "0.1.0";

constexpr std::string_view kFooter = R"(
Start with:   dlg new backprop        write the worked example of the lecture
              dlg check net.dlg       check shapes and expectations
              dlg step net.dlg        see every number of one training step
              dlg train net.dlg       train; results go to runs/
Exit codes: 0 ok, 1 the input is wrong, 2 usage, 3 environment or I/O, 4 an expectation failed,
            5 the numbers diverged or an index was outside, 70 a bug of dlg, 130/143 stopped by a signal after saving)";

/// A word that is no verb, before CLI11 sees it: its own message has no suggestion.
std::optional<int> reject_unknown_verb(const std::vector<std::string>& words, std::span<const Verb> verbs,
                                       std::ostream& err) {
  constexpr std::array<std::string_view, 3> kOptions{"--help", "-h", "--version"};
  if (words.empty()) return std::nullopt;
  std::vector<std::string> names;
  for (const Verb& verb : verbs) names.emplace_back(verb.name);
  names.insert(names.end(), kOptions.begin(), kOptions.end());
  if (std::find(names.begin(), names.end(), words[0]) != names.end()) return std::nullopt;
  return report_usage({"dlg", fmt::format("`{}` is not a command of dlg", words[0]),
                       nearest_name(words[0], names), "dlg --help"},
                      err);
}

/// The first word that is a verb: what stands before it are options of `dlg` itself.
const Verb* called_verb(const std::vector<std::string>& words, std::span<const Verb> verbs) {
  for (const std::string& word : words) {
    const auto found =
        std::find_if(verbs.begin(), verbs.end(), [&](const Verb& verb) { return verb.name == word; });
    if (found != verbs.end()) return &*found;
  }
  return nullptr;
}

/// Declares `dlg` itself and the verbs; answers the command of the one that is called, else `app`.
CLI::App& declare(CLI::App& app, std::span<const Verb> verbs, const Verb* called) {
  // What commands inherit they take over when they are added.
  app.footer(std::string(kFooter));
  app.set_version_flag("--version", fmt::format("dlg {} ({})", kVersion, llvm_version()));
  app.require_subcommand(1);
  CLI::App* found = &app;
  for (const Verb& verb : verbs) {
    CLI::App* command = app.add_subcommand(std::string(verb.name), std::string(verb.doc));
    if (&verb == called) found = command;
  }
  return *found;
}

}  // namespace

/// All verbs, of which only the one that is called has options.
struct CommandLine::Parser {
  Parser(std::span<const Verb> verbs, const Verb* called) : options(declare(app, verbs, called)) {}

  CLI::App app = CLI::App("dlg - train neural networks from a text file, compiled to one native step", "dlg");
  CommandOptions options;
};

CommandLine::CommandLine(std::vector<std::string> words, std::span<const Verb> verbs, Session& session)
    : words_(std::move(words)),
      verbs_(verbs),
      session_(session),
      verb_(called_verb(words_, verbs)),
      parser_(std::make_unique<Parser>(verbs, verb_)) {}

CommandLine::~CommandLine() = default;

CommandOptions& CommandLine::options() {
  return parser_->options;
}

bool CommandLine::read_words() {
  const std::optional<int> said = parse();
  exit_code_ = said.value_or(kExitUsage);
  if (said || verb_ == nullptr) return false;
  const std::string help = fmt::format("dlg {} --help", verb_->name);
  is_read_ = parser_->options.read(help, session_.streams.err);
  if (is_read_) session_.clock.lap("options");
  return is_read_;
}

std::optional<int> CommandLine::parse() {
  const Streams& streams = session_.streams;
  if (const std::optional<int> code = reject_unknown_verb(words_, verbs_, streams.err)) return code;
  CLI::App& app = parser_->app;
  try {
    app.parse(std::vector<std::string>(words_.rbegin(), words_.rend()));
  } catch (const CLI::CallForHelp&) {
    fmt::print(streams.out, "{}", app.help());
    return kExitOk;
  } catch (const CLI::CallForVersion& version) {
    fmt::print(streams.out, "{}\n", version.what());
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    return report_usage(error, app, streams.err);
  }
  return std::nullopt;
}

}  // namespace dlg
