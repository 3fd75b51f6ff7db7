// Owns the entries of the two programs.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace dlg {

/// The whole of `dlg`; answers the exit code.
int run_dlg(int argc, char** argv);
/// The whole of `dlg-opt`.
int run_dlg_opt(int argc, char** argv);

/// The same in-process, for tests: results to `out`, progress and diagnostics to `err`, "-" or no file reads
/// from `in`.
int run_dlg(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out,
            std::ostream& err);
int run_dlg_opt(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out,
                std::ostream& err);

}  // namespace dlg
