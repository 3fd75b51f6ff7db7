// Owns the allocation of aligned blocks, their guards, and the rounding of data into columns.
#include "runtime/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "support/arithmetic.h"
#include "support/check.h"
#include "support/memory_limit.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr std::int64_t kAlignment = 64;
constexpr std::int64_t kHugePage = std::int64_t{2} << 20;
constexpr unsigned char kGuard = 0xA5;

constexpr Diag<std::int64_t> kOutOfMemory{DiagCode::OutOfMemory, Severity::kError,
                                          "out of memory: {} more bytes were needed"};
constexpr Diag<std::string, std::string, std::int64_t> kNotInteger{
    DiagCode::DataNotInteger, Severity::kError, "`{}` is {} in sample {}, expected a whole number"};
constexpr Diag<std::string, std::string, std::int64_t, std::string> kOutOfRange{
    DiagCode::DataOutOfRange, Severity::kError, "`{}` is {} in sample {}, expected {}"};

bool all_guard(const unsigned char* begin, const unsigned char* end) {
  return std::all_of(begin, end, [](unsigned char byte) { return byte == kGuard; });
}

/// The limit of element `i` of all rows; 0: it is no index.
std::int64_t limit_of(const ColumnSpec& spec, std::size_t i) {
  return spec.below.empty() ? 0 : spec.below[i % spec.below.size()];
}

/// Why `value` cannot be element `i`; empty if it can.
std::string range_text(const ColumnSpec& spec, std::size_t i, double value) {
  const std::int64_t limit = limit_of(spec, i);
  if (limit > 0 && (value < 0 || value >= static_cast<double>(limit))) {
    return fmt::format("an index from 0 to {}, of an axis of {}", limit - 1, limit);
  }
  switch (spec.type) {
    case DType::kF64:
      return "";
    case DType::kF32:
      return std::isfinite(static_cast<float>(value)) ? "" : "a number that f32 can hold";
    case DType::kI32:
      return std::abs(value) <= std::numeric_limits<std::int32_t>::max() ? ""
                                                                         : "an integer that i32 can hold";
    case DType::kI64:
      return std::abs(value) <= 9007199254740992.0 ? "" : "an integer of at most 53 bits";
    case DType::kBool:
      return value == 0 || value == 1 ? "" : "0 or 1";
  }
  return "";
}

/// Whole numbers without an exponent.
std::string shown(double value) {
  const bool is_plain = value == std::trunc(value) && std::abs(value) < 1e16;
  return is_plain ? fmt::format("{:.0f}", value) : number_text(value);
}

/// Which of several elements of a row it is, and where it comes from.
void note_place(Report& report, const ColumnSpec& spec, std::size_t i) {
  if (spec.row_elements > 1) {
    const std::int64_t element = static_cast<std::int64_t>(i) % spec.row_elements;
    report.note(fmt::format("it is element {} of the sample's {}", element, spec.row_elements));
  }
  if (!spec.origin.empty()) report.note("the values come from " + spec.origin);
}

/// Whether each value fits the column; the first that does not is reported.
bool check_values(const ColumnSpec& spec, std::span<const double> values, Diagnostics& diagnostics) {
  const bool wants_integers = !is_float(spec.type);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t sample = static_cast<std::int64_t>(i) / spec.row_elements;
    const double value = values[i];
    if ((wants_integers || limit_of(spec, i) > 0) && value != std::trunc(value)) {
      Report report = diagnostics.report(spec.range, kNotInteger, spec.name, number_text(value), sample);
      note_place(report, spec, i);
      return false;
    }
    if (const std::string wanted = range_text(spec, i, value); !wanted.empty()) {
      Report report = diagnostics.report(spec.range, kOutOfRange, spec.name, shown(value), sample, wanted);
      note_place(report, spec, i);
      return false;
    }
  }
  return true;
}

std::optional<AlignedBlock> allocate_or_report(std::int64_t bytes, SourceRange range,
                                               Diagnostics& diagnostics) {
  std::optional<AlignedBlock> block = AlignedBlock::allocate(bytes);
  if (!block) diagnostics.report(range, kOutOfMemory, bytes);
  return block;
}

}  // namespace

std::optional<AlignedBlock> AlignedBlock::allocate(std::int64_t bytes) {
  const std::optional<std::int64_t> padded = checked_add(bytes, 2 * kGuardBytes + kAlignment - 1);
  if (bytes < 0 || !padded || *padded > memory_limit()) return std::nullopt;
  const std::int64_t total = *padded / kAlignment * kAlignment;
  const std::size_t size = static_cast<std::size_t>(total);
  const std::size_t alignment = static_cast<std::size_t>(total < kHugePage ? kAlignment : kHugePage);
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  Memory memory(static_cast<unsigned char*>(std::aligned_alloc(alignment, rounded)));
  if (!memory) return std::nullopt;
  // Columns of large matrices lie on as many pages as they have elements. A system that refuses is only
  // slower.
  if (total >= kHugePage) static_cast<void>(::madvise(memory.get(), rounded, MADV_HUGEPAGE));
  std::memset(memory.get(), kGuard, size);
  std::memset(memory.get() + kGuardBytes, 0, static_cast<std::size_t>(bytes));
  return AlignedBlock(std::move(memory), bytes, total);
}

bool AlignedBlock::guards_intact() const {
  const unsigned char* begin = memory_.get();
  return all_guard(begin, begin + kGuardBytes) && all_guard(begin + kGuardBytes + size_, begin + total_);
}

std::optional<StepMemory> StepMemory::allocate(const BlockSizes& sizes, SourceRange range,
                                               Diagnostics& diagnostics) {
  std::optional<AlignedBlock> arena = allocate_or_report(sizes.arena, range, diagnostics);
  if (!arena) return std::nullopt;
  std::optional<AlignedBlock> state = allocate_or_report(sizes.state, range, diagnostics);
  if (!state) return std::nullopt;
  std::optional<AlignedBlock> output = allocate_or_report(sizes.output, range, diagnostics);
  if (!output) return std::nullopt;
  const std::optional<std::int64_t> all = checked_mul(sizes.scratch, sizes.workers);
  std::optional<AlignedBlock> scratch = allocate_or_report(all.value_or(-1), range, diagnostics);
  if (!scratch) return std::nullopt;
  return StepMemory({std::move(*arena), std::move(*state), std::move(*output), std::move(*scratch)},
                    sizes.scratch);
}

void StepMemory::check_guards(std::string_view when) const {
  DLG_CHECK(blocks_.arena.guards_intact(), fmt::format("{} wrote outside the arena", when));
  DLG_CHECK(blocks_.state.guards_intact(), fmt::format("{} wrote outside the state block", when));
  DLG_CHECK(blocks_.output.guards_intact(), fmt::format("{} wrote outside the output block", when));
  DLG_CHECK(blocks_.scratch.guards_intact(), fmt::format("{} wrote outside the scratch", when));
}

std::optional<DataColumn> make_column(const ColumnSpec& spec, std::span<const double> values,
                                      Diagnostics& diagnostics) {
  const std::int64_t count = static_cast<std::int64_t>(values.size());
  DLG_CHECK(spec.row_elements > 0 && count % spec.row_elements == 0, "values of a column are whole rows");
  if (!check_values(spec, values, diagnostics)) return std::nullopt;
  std::optional<AlignedBlock> block =
      allocate_or_report(multiply_sizes(count, dtype_bytes(spec.type)), spec.range, diagnostics);
  if (!block) return std::nullopt;
  for (std::int64_t i = 0; i < count; ++i) {
    store_element(block->data(), spec.type, i, values[static_cast<std::size_t>(i)]);
  }
  return DataColumn{spec.name, spec.type, count / spec.row_elements, spec.row_elements, std::move(*block)};
}

std::optional<DataColumn> join_column(const ColumnSpec& spec, std::span<const std::string_view> parts,
                                      Diagnostics& diagnostics) {
  std::size_t bytes = 0;
  for (const std::string_view part : parts) bytes += part.size();
  const auto size = static_cast<std::int64_t>(bytes);
  const std::int64_t row_bytes = multiply_sizes(spec.row_elements, dtype_bytes(spec.type));
  DLG_CHECK(row_bytes > 0 && size % row_bytes == 0, "parts of a column are whole rows");
  std::optional<AlignedBlock> block = allocate_or_report(size, spec.range, diagnostics);
  if (!block) return std::nullopt;
  unsigned char* at = block->data();
  for (const std::string_view part : parts) {
    std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  return DataColumn{spec.name, spec.type, size / row_bytes, spec.row_elements, std::move(*block)};
}

}  // namespace dlg
