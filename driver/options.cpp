#include "driver/options.h"

#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <map>

#include "support/diagnostic.h"

namespace dlg {
namespace {

constexpr int kUsageExit = 2;
constexpr std::string_view kVersion = "0.1.0";

constexpr std::string_view kFooter = R"(
Start with:   dlg new backprop        write the worked example of the lecture
              dlg check net.dlg       check shapes and expectations
              dlg step net.dlg        see every number of one training step
              dlg train net.dlg       train; results go to runs/
Exit codes: 0 ok, 1 the input is wrong, 2 usage, 3 environment or I/O, 4 an expectation failed,
            5 the numbers diverged, 70 a bug of dlg, 130/143 stopped by a signal after saving)";

/// CLI11 fills these; they become Options at the end.
struct Raw {
  Options options;
  std::vector<std::string> sets;
  std::vector<std::string> init_maps;
  std::string target = "host";
  std::string engine = "jit";
  bool is_unfused = false;
};

void add_file(CLI::App& app, Raw& raw) {
  app.add_option("FILE", raw.options.file, "the program, a .dlg file")->required();
  app.add_option("--set", raw.sets, "override a dim, const or setting: --set optimizer.lr=0.1")
      ->type_name("KEY=VALUE")
      ->take_all();
}

void add_engine(CLI::App& app, Raw& raw) {
  app.add_option("--seed", raw.options.seed,
                 "seed of initial values and shuffling (default: the program's, 1)");
  app.add_option("--target", raw.target, "instruction set of the compiled code")
      ->check(CLI::IsMember({"host", "avx512", "avx2", "sse2"}));
  app.add_option("--threads", raw.options.threads, "worker threads (results do not depend on it)")
      ->check(CLI::Range(1, 1024));
  app.add_flag("--no-fuse", raw.is_unfused, "one kernel per operation (the same bits, slower)");
}

void add_engine_choice(CLI::App& app, Raw& raw) {
  app.add_option("--engine", raw.engine, "compiled code or the f64 reference interpreter")
      ->check(CLI::IsMember({"jit", "interpreter"}));
}

void add_run(CLI::App& app, Raw& raw) {
  app.add_option("--run", raw.options.run,
                 "a run folder, its number or name (default: the latest of this program)");
}

void define_check(CLI::App& app, Raw& raw) {
  add_file(app, raw);
  add_engine(app, raw);
  add_engine_choice(app, raw);
}

void define_train(CLI::App& app, Raw& raw) {
  add_file(app, raw);
  add_engine(app, raw);
  CLI::Option* init = app.add_option("--init", raw.options.init,
                                     "start from the weights in this safetensors file, by parameter path")
                          ->type_name("FILE");
  app.add_option("--init-map", raw.init_maps,
                 "read only entries that begin with FROM, with TO in its place: --init-map param.=net.")
      ->type_name("FROM=TO")
      ->take_all()
      ->needs(init);
  app.add_flag("--quiet,-q", raw.options.is_quiet, "no progress, only the result");
  app.add_flag("--json", raw.options.is_json, "the result as one JSON object");
}

void define_eval(CLI::App& app, Raw& raw) {
  add_file(app, raw);
  add_engine(app, raw);
  add_run(app, raw);
  app.add_flag("--json", raw.options.is_json, "the result as one JSON object");
}

void define_predict(CLI::App& app, Raw& raw) {
  add_file(app, raw);
  app.add_option("INPUT", raw.options.input, "CSV file with the columns the model was trained on")
      ->required();
  app.add_option("--out,-o", raw.options.output, "CSV file to write (default: standard output)");
  add_engine(app, raw);
  add_run(app, raw);
}

void define_step(CLI::App& app, Raw& raw) {
  add_file(app, raw);
  add_engine(app, raw);
  add_engine_choice(app, raw);
  app.add_option("--sample", raw.options.sample, "the sample whose values are shown (from 0)")
      ->check(CLI::NonNegativeNumber);
}

void define_show(CLI::App& app, Raw& raw) {
  add_file(app, raw);
  add_engine(app, raw);
  app.add_option("--stage", raw.options.stage, "which stage of the pipeline to print")
      ->required()
      ->check(CLI::IsMember(
          {"ast", "graph", "backward", "update", "simplified", "fused", "plan", "loops", "llvm", "asm"}));
  app.add_option("--format", raw.options.format, "text, or dot for Graphviz (graph stages)")
      ->check(CLI::IsMember({"text", "dot"}));
}

void define_gradcheck(CLI::App& app, Raw& raw) {
  add_file(app, raw);
  add_engine(app, raw);
}

void define_explain(CLI::App& app, Raw& raw) {
  app.add_option("CODE", raw.options.input, "a diagnostic code such as DLG0301; without it: the list of all");
}

void define_new(CLI::App& app, Raw& raw) {
  app.add_option("NAME", raw.options.input, "folder to write: backprop, digits or xor are ready examples")
      ->required();
  app.add_option("--template", raw.options.template_name,
                 "which example to start from (default: by NAME, else xor)");
}

struct Verb {
  VerbInfo info;
  void (*define)(CLI::App&, Raw&);
};

const std::vector<Verb>& verb_table() {
  static const std::vector<Verb> table = {
      {{"new", "write a starting example into a new folder"}, define_new},
      {{"check", "check a program and its expectations, compiled code against the reference"}, define_check},
      {{"step", "make one training step and show every value, derivative and update"}, define_step},
      {{"train", "train and save weights, config and log in runs/"}, define_train},
      {{"eval", "loss and metrics of a trained run"}, define_eval},
      {{"predict", "predictions of a trained run: CSV in, CSV out"}, define_predict},
      {{"show", "print a stage of the compiler"}, define_show},
      {{"gradcheck", "compare derivatives with finite differences"}, define_gradcheck},
      {{"explain", "explain a diagnostic code"}, define_explain},
  };
  return table;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string> verb_names() {
  std::vector<std::string> names;
  for (const VerbInfo& verb : verbs()) names.emplace_back(verb.name);
  return names;
}

int usage_error(std::ostream& err, const std::string& message, const std::optional<std::string>& suggestion,
                std::string_view help) {
  fmt::print(err, "dlg: {}\n", message);
  if (suggestion) fmt::print(err, "  did you mean `{}`?\n", *suggestion);
  fmt::print(err, "  try `{}`\n", help);
  return kUsageExit;
}

/// A word that is no verb, before CLI11 sees it: its own message has no suggestion.
std::optional<int> reject_unknown_verb(const std::vector<std::string>& arguments, std::ostream& err) {
  if (arguments.empty() || arguments[0].empty() || arguments[0][0] == '-') return std::nullopt;
  const std::vector<std::string> names = verb_names();
  if (std::find(names.begin(), names.end(), arguments[0]) != names.end()) return std::nullopt;
  return usage_error(err, fmt::format("`{}` is not a command of dlg", arguments[0]),
                     nearest_name(arguments[0], names), "dlg --help");
}

int report_parse_error(const CLI::ParseError& error, const CLI::App& app, std::ostream& err) {
  const CLI::App* verb = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
  const std::string help =
      verb == &app ? std::string("dlg --help") : fmt::format("dlg {} --help", verb->get_name());
  const auto* extras = dynamic_cast<const CLI::ExtrasError*>(&error);
  if (extras == nullptr) return usage_error(err, error.what(), std::nullopt, help);
  const std::vector<std::string> rest = app.remaining(true);
  const std::string word = rest.empty() ? std::string() : rest.front().substr(0, rest.front().find('='));
  return usage_error(err, fmt::format("unexpected `{}`", word), nearest_name(word, option_names(*verb)),
                     help);
}

/// The words `key=value` of --set; nullopt after a message.
std::optional<std::vector<Override>> parse_sets(const std::vector<std::string>& sets, std::ostream& err) {
  std::vector<Override> overrides;
  for (const std::string& set : sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos || equals == 0) {
      usage_error(err, fmt::format("`--set {}` has no `=`; expected KEY=VALUE", set), std::nullopt,
                  "dlg train --help");
      return std::nullopt;
    }
    overrides.push_back({set.substr(0, equals), set.substr(equals + 1)});
  }
  return overrides;
}

/// The words `from=to` of --init-map; either side may be empty. nullopt after a message.
std::optional<std::vector<InitMap>> parse_init_maps(const std::vector<std::string>& words,
                                                    std::ostream& err) {
  std::vector<InitMap> maps;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      usage_error(err, fmt::format("`--init-map {}` has no `=`; expected FROM=TO", word), std::nullopt,
                  "dlg train --help");
      return std::nullopt;
    }
    maps.push_back({word.substr(0, equals), word.substr(equals + 1)});
  }
  return maps;
}

std::optional<Options> finish(Raw& raw, const CLI::App& app, std::ostream& err) {
  raw.options.verb = app.get_subcommands().front()->get_name();
  raw.options.target = *parse_target(raw.target);
  raw.options.engine = raw.engine == "jit" ? Engine::kJit : Engine::kInterpreter;
  raw.options.fusion = raw.is_unfused ? Fusion::kOff : Fusion::kOn;
  std::optional<std::vector<Override>> overrides = parse_sets(raw.sets, err);
  std::optional<std::vector<InitMap>> init_maps = parse_init_maps(raw.init_maps, err);
  if (!overrides || !init_maps) return std::nullopt;
  raw.options.init_maps = std::move(*init_maps);
  raw.options.overrides = std::move(*overrides);
  return raw.options;
}

}  // namespace

const std::vector<VerbInfo>& verbs() {
  static const std::vector<VerbInfo> infos = [] {
    std::vector<VerbInfo> all;
    for (const Verb& verb : verb_table()) all.push_back(verb.info);
    return all;
  }();
  return infos;
}

ParsedOptions parse_options(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  if (const std::optional<int> code = reject_unknown_verb(arguments, err)) return {std::nullopt, *code};
  CLI::App app("dlg - train neural networks from a text file, compiled to one native step", "dlg");
  app.footer(std::string(kFooter));
  app.set_version_flag("--version", fmt::format("dlg {} ({})", kVersion, llvm_version()));
  app.require_subcommand(1);
  Raw raw;
  for (const Verb& verb : verb_table()) {
    CLI::App* sub = app.add_subcommand(std::string(verb.info.name), std::string(verb.info.doc));
    verb.define(*sub, raw);
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    const auto subs = app.get_subcommands();
    fmt::print(out, "{}", subs.empty() ? app.help() : subs.front()->help());
    return {std::nullopt, 0};
  } catch (const CLI::CallForVersion& version) {
    fmt::print(out, "{}\n", version.what());
    return {std::nullopt, 0};
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, report_parse_error(error, app, err)};
  }
  std::optional<Options> options = finish(raw, app, err);
  const int code = options ? 0 : kUsageExit;
  return {std::move(options), code};
}

}  // namespace dlg
