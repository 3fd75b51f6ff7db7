#include "driver/main.h"

#include <iostream>
#include <iterator>
#include <new>
#include <stdexcept>

#include "driver/opt.h"
#include "driver/verbs/verbs.h"
#include "support/render.h"

namespace dlg {
namespace {

constexpr Diag<> kNoOutput{DiagCode::FileNotWritten, Severity::kError,
                           "the results cannot be written to standard output"};
constexpr Diag<> kOutOfMemory{DiagCode::OutOfMemory, Severity::kError, "out of memory"};

/// Runs a program. Every container may run out of memory, so this is the one place where that is caught: what
/// was asked for is too large, and nothing of it has been written.
template <class Run, class Say>
int within_memory(const Run& run, const Say& say) {
  Diagnostics diagnostics;
  try {
    return run();
  } catch (const std::bad_alloc&) {
    diagnostics.report({}, kOutOfMemory);
  } catch (const std::length_error&) {
    diagnostics.report({}, kOutOfMemory);
  }
  say(diagnostics);
  return diagnostics.exit_code();
}

/// The exit code, if all that was printed could be written: not on a full disk or into a closed pipe.
int with_output(Session& session, int code) {
  if (session.streams.out.flush() || code != kExitOk) return code;
  Diagnostics diagnostics;
  diagnostics.report({}, kNoOutput);
  session.say(diagnostics);
  return diagnostics.exit_code();
}

std::vector<std::string> words(int argc, char** argv) {
  return {argv + 1, argv + argc};
}

int run(const std::vector<std::string>& arguments, const Streams& streams, StageClock clock) {
  Session session{.streams = streams, .clock = std::move(clock)};
  CommandLine line(arguments, verbs(), session);
  if (line.verb() == nullptr) {
    line.read();
    return with_output(session, line.exit_code());
  }
  int code = within_memory([&] { return line.verb()->run(session, line); },
                           [&](const Diagnostics& diagnostics) { session.say(diagnostics); });
  code = with_output(session, code);
  if (!line.is_read()) return code;
  session.clock.lap("rest");
  session.tell_times();
  return code;
}

}  // namespace

int run_dlg(int argc, char** argv) {
  StageClock clock({{"load", process_seconds()}});
  return run(words(argc, argv), {std::cin, std::cout, std::cerr}, std::move(clock));
}

int run_dlg_opt(int argc, char** argv) {
  return run_dlg_opt(words(argc, argv), std::cin, std::cout, std::cerr);
}

int run_dlg(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out,
            std::ostream& err) {
  return run(arguments, {in, out, err}, StageClock());
}

int run_dlg_opt(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out,
                std::ostream& err) {
  return within_memory(
      [&] {
        return run_opt(arguments, {in, out, err});
      },
      [&](const Diagnostics& diagnostics) { err << render_all(Sources{}, diagnostics, Color::kOff); });
}

}  // namespace dlg
