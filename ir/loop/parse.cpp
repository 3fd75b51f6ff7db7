// Owns reading the textual form of loop programs.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "ir/graph/text_comment.h"
#include "ir/loop/text.h"
#include "ir/loop/words.h"
#include "support/text.h"

namespace dlg::loop {
namespace {

constexpr Diag<std::string, std::string> kSyntax{DiagCode::LoopTextSyntax, Severity::kError,
                                                 "found {}, expected {}"};
constexpr Diag<std::string, std::string> kUnknownName{DiagCode::LoopTextName, Severity::kError,
                                                      "no {} named `{}`"};
constexpr Diag<std::string, std::string> kTwice{DiagCode::LoopTextName, Severity::kError,
                                                "a second {} named `{}`"};
constexpr Diag<std::string> kTooMuch{DiagCode::LoopTextLimit, Severity::kError, "{}"};

constexpr std::size_t kMaxDepth = 64;
constexpr std::uint32_t kMaxRegisters = 1u << 20;

/// Recursive descent. After the first error the cursor stands at the end, so that everything returns.
class Parser {
 public:
  Parser(Sources& sources, FileId file, Diagnostics& diagnostics)
      : cursor_(sources.text(file), file, 0, kLoopText),
        diagnostics_(diagnostics),
        places_(places_of_comments(sources, sources.text(file))) {}

  std::optional<Program> run() {
    parse_settings();
    while (accept("buffer")) parse_buffer();
    while (accept("kernel")) parse_kernel();
    while (accept("copy")) {
      const BufferId from = buffer_name();
      expect("->");
      program_.copies.push_back({from, buffer_name()});
    }
    if (!cursor_.at_end()) fail("`buffer`, `kernel`, `copy` or the end");
    if (has_failed_) return std::nullopt;
    return std::move(program_);
  }

 private:
  bool is_at(std::string_view text) { return cursor_.next_word() == text; }
  bool accept(std::string_view text) { return cursor_.eat_word(text); }

  void expect(std::string_view text) {
    if (!accept(text)) fail("`" + std::string(text) + "`");
  }

  void stop() {
    has_failed_ = true;
    cursor_.go_to_end();
  }

  void fail(const std::string& expected) {
    if (!has_failed_) {
      diagnostics_.report(cursor_.next_range(), kSyntax, cursor_.next_text("the end of the text"), expected);
    }
    stop();
  }

  void fail_limit(SourceRange range, const std::string& text) {
    if (!has_failed_) diagnostics_.report(range, kTooMuch, text);
    stop();
  }

  /// What was found, or else an error.
  template <class T>
  T taken(std::optional<T> found, const char* expected) {
    if (!found) fail(expected);
    return std::move(found).value_or(T{});
  }

  // Words and numbers.
  std::string name() { return taken(cursor_.name(), "a name"); }
  std::int64_t integer() { return taken(cursor_.whole_number(), "a whole number"); }
  double number() { return taken(cursor_.number(), "a number"); }
  DType dtype() { return known_word(parse_dtype, "an element type such as `f32`").value_or(DType::kF32); }

  bool is_at_name() { return TextCursor(cursor_).name().has_value(); }
  bool is_at_register() { return cursor_.next_word().starts_with('%'); }

  RegId reg() {
    const std::string_view word = cursor_.next_word();
    const SourceRange range = cursor_.next_range();
    if (word.size() < 2 || word.front() != '%') {
      fail("a register such as `%3`");
      return {};
    }
    std::uint32_t index = 0;
    const auto result = std::from_chars(word.data() + 1, word.data() + word.size(), index);
    if (result.ec != std::errc() || index >= kMaxRegisters) {
      fail_limit(range, "the register number is too large");
      return {};
    }
    cursor_.eat(word);
    kernel_.reg_count = std::max(kernel_.reg_count, index + 1);
    return RegId{index};
  }

  template <class Item>
  auto list(std::string_view open, std::string_view close, Item item) {
    std::vector<decltype(item())> items;
    expect(open);
    if (accept(close)) return items;
    do items.push_back(item());
    while (accept(","));
    expect(close);
    return items;
  }

  // The head of the program.
  void parse_settings() {
    expect("program");
    expect("batch");
    program_.batch = integer();
    expect("arena");
    program_.arena_bytes = integer();
    expect("state");
    program_.state_bytes = integer();
    expect("output");
    program_.output_bytes = integer();
    expect("stop_test");
    program_.kernels_before_stop_test = static_cast<std::size_t>(integer());
    if (accept("scheduled")) parse_program_schedule();
  }

  void parse_program_schedule() {
    ProgramSchedule schedule;
    schedule.core = name();
    schedule.form = known_word(parse_form, "`loops` or `straight`").value_or(StepForm::kLoops);
    expect("scratch");
    schedule.scratch_bytes = integer();
    program_.schedule = std::move(schedule);
  }

  /// A word that `parse` knows.
  template <class Kind>
  std::optional<Kind> known_word(std::optional<Kind> (*parse)(std::string_view), const char* expected) {
    const std::string_view word = cursor_.next_word();
    const std::optional<Kind> found = parse(word);
    if (!found) fail(expected);
    if (found) cursor_.eat(word);
    return found;
  }

  std::int64_t extent() { return cursor_.eat("*batch") ? kBatch : integer(); }

  /// `0`, `1/8`, `1%8`, each perhaps with its pitch behind.
  StoragePart storage_part() {
    StoragePart part{.axis = integer()};
    if (cursor_.eat("/")) part.kind = StoragePart::Kind::kBlocks;
    if (cursor_.eat("%")) part.kind = StoragePart::Kind::kRest;
    if (part.kind != StoragePart::Kind::kAxis) part.factor = integer();
    if (accept("pitch")) part.pitch = integer();
    return part;
  }

  void parse_buffer() {
    const SourceRange range = cursor_.next_range();
    Buffer buffer;
    buffer.name = name();
    expect(":");
    buffer.type.dtype = dtype();
    buffer.type.shape = Shape(list("[", "]", [this] { return extent(); }));
    if (accept("order")) buffer.layout.parts = list("[", "]", [this] { return storage_part(); });
    const std::optional<BufferKind> kind = known_word(
        parse_buffer_kind, "a kind of buffer: arena, state, data, row_order, hyper, output or constant");
    if (!kind) return;
    buffer.kind = *kind;
    if (has_offset(*kind)) buffer.offset = integer();
    if (cursor_.next_word().starts_with('"')) buffer.source = name();
    if (*kind == BufferKind::kConstant) buffer.literal = list("[", "]", [this] { return number(); });
    if (accept("below")) buffer.below = integer();
    const bool is_loss = accept("loss");
    const bool is_fault = accept("fault");
    const bool is_weight = accept("weight");
    if (has_failed_) return;
    const std::string key = buffer.name;
    const BufferId id = program_.buffers.add(std::move(buffer));
    if (!buffer_ids_.emplace(key, id).second) {
      diagnostics_.report(range, kTwice, "buffer", key);
      return stop();
    }
    if (is_loss) program_.loss = id;
    if (is_fault) program_.fault = id;
    if (is_weight) program_.weight = id;
  }

  // Kernels.
  void parse_kernel() {
    kernel_ = Kernel{};
    open_.clear();
    kernel_.name = name();
    if (accept("divided")) {
      kernel_.share =
          known_word(parse_share, "`iterations`, `pairs`, `panels` or `tiles`").value_or(Share::kNothing);
    }
    kernel_.ahead = registers("ahead");
    note_comment();
    kernel_.body = block();
    expect("}");
    program_.kernels.push_back(std::move(kernel_));
  }

  /// What the comment behind `{` says of the kernel.
  void note_comment() {
    TextCursor behind = cursor_;
    if (!behind.eat("{")) return;
    Comment comment = read_comment(behind.line_comment());
    if (!comment.places.empty()) kernel_.origin = places_.range(comment.places.front());
    kernel_.comment = std::move(comment.computes);
  }

  /// From `{` to before `next` or `}`.
  Body block() {
    Body body;
    if (++depth_ > kMaxDepth) {
      fail_limit(cursor_.next_range(), "loops are nested more than " + counted(kMaxDepth, "level") + " deep");
    }
    expect("{");
    while (!cursor_.at_end() && !is_at("}") && !is_at("next")) {
      if (accept("together")) {
        group(body);
      } else {
        body.push_back(statement());
      }
    }
    --depth_;
    return body;
  }

  /// Instructions that are computed together.
  void group(Body& body) {
    expect("{");
    const std::size_t first = body.size();
    do {
      body.emplace_back().instruction = instruction();
      body.back().instruction->joins_previous = body.size() > first + 1;
    } while (is_at_register());
    expect("}");
  }

  Statement statement() {
    Statement result;
    if (is_at_register()) {
      result.instruction = instruction();
    } else if (accept("store")) {
      result.store = store();
    } else if (const auto kind = parse_loop_kind(cursor_.next_word())) {
      accept(kind_word(*kind));
      result.loop.push_back(loop(*kind));
    } else {
      fail("a statement: `%1 = ...`, `store`, `together`, `for`, `parallel`, `vector` or `lanes`");
    }
    return result;
  }

  Instruction instruction() {
    Instruction i;
    i.result = reg();
    expect("=");
    const std::optional<Op> op = known_word(parse_op, "an instruction such as `add`");
    if (!op) return i;
    i.op = *op;
    if (*op == Op::kConst) i.number = number();
    if (*op == Op::kIndex) i.indices.push_back(index());
    if (*op == Op::kLoad) std::tie(i.buffer, i.indices) = element();
    for (int arg = 0; arg < op_info(*op).arity; ++arg) {
      if (arg > 0) expect(",");
      i.args.push_back(reg());
    }
    expect(":");
    i.dtype = dtype();
    return i;
  }

  StoreInstruction store() {
    StoreInstruction s;
    std::tie(s.buffer, s.indices) = element();
    expect("=");
    s.value = reg();
    return s;
  }

  BufferId buffer_name() {
    const SourceRange range = cursor_.next_range();
    const std::string text = name();
    const auto found = buffer_ids_.find(text);
    if (found != buffer_ids_.end()) return found->second;
    if (!has_failed_) diagnostics_.report(range, kUnknownName, "buffer", text);
    stop();
    return {};
  }

  std::pair<BufferId, std::vector<Index>> element() {
    const BufferId buffer = buffer_name();
    return {buffer, list("[", "]", [this] { return index(); })};
  }

  /// The innermost open loop of that name.
  VarId variable() {
    const SourceRange range = cursor_.next_range();
    const std::string text = name();
    for (std::size_t i = open_.size(); i-- > 0;) {
      if (open_[i].first == text) return open_[i].second;
    }
    if (!has_failed_) diagnostics_.report(range, kUnknownName, "enclosing loop", text);
    stop();
    return {};
  }

  Index index() {
    Index result;
    for_each_term([&](std::int64_t sign) { index_term(result, sign); });
    return result;
  }

  /// `read` gets the sign of each term of a sum.
  template <class Read>
  void for_each_term(const Read& read) {
    bool is_negative = accept("-");
    while (true) {
      read(is_negative ? -1 : 1);
      is_negative = is_at("-");
      if (!accept("+") && !accept("-")) return;
    }
  }

  void index_term(Index& result, std::int64_t sign) {
    if (is_at_register()) {
      if (result.dynamic.is_valid() || sign < 0) return fail("at most one added register in an index");
      result.dynamic = reg();
      return;
    }
    const auto [factor, is_number] = factor_of_term(sign);
    if (!is_number) {
      result.terms.push_back({variable(), factor});
    } else {
      add(result.offset, factor);
    }
  }

  /// `2*` or nothing before a name, or a number alone.
  std::pair<std::int64_t, bool> factor_of_term(std::int64_t sign) {
    if (is_at_name()) return {sign, false};
    const std::int64_t factor = sign * integer();
    return {factor, !accept("*")};
  }

  void add(std::int64_t& sum, std::int64_t number) {
    if (__builtin_add_overflow(sum, number, &sum)) fail_limit(cursor_.next_range(), "the index is too large");
  }

  /// `1 - h`, `(rows + 2*h) / 3`.
  Bound bound() {
    Bound result;
    const bool is_divided = accept("(");
    for_each_term([&](std::int64_t sign) { bound_term(result, sign); });
    if (!is_divided) return result;
    expect(")");
    expect("/");
    TextCursor behind = cursor_;
    result.divisor = behind.whole_number().value_or(0);
    if (result.divisor < 1) fail("a divisor of at least 1");
    if (result.divisor >= 1) cursor_ = behind;
    return result;
  }

  void bound_term(Bound& result, std::int64_t sign) {
    if (is_at_register()) return fail("a loop, `rows` or a whole number");
    const auto [factor, is_number] = factor_of_term(sign);
    if (is_number) {
      add(result.value.offset, factor);
    } else if (accept("rows")) {
      add(result.rows, factor);
    } else {
      result.value.terms.push_back({variable(), factor});
    }
  }

  Loop loop(LoopKind kind) {
    std::vector<Loop> around;
    Loop result = opened_range(kind);
    while (kind == LoopKind::kLanes && accept(",")) {
      around.push_back(std::move(result));
      around.back().kind = LoopKind::kSerial;
      result = opened_range(kind);
    }
    result.around = std::move(around);
    if (accept("carry")) parse_carry(result);
    if (is_at("tile") || is_at("rest") || is_at("panels")) result.schedule = loop_schedule();
    if (accept("straight")) result.straight = list("[", "]", [this] { return panel(); });
    result.body = block();
    parse_next(result, &Carried::next);
    open_.resize(open_.size() - 1 - result.around.size());
    expect("}");
    if (kind == LoopKind::kLanes) parse_combine(result);
    return result;
  }

  LoopSchedule loop_schedule() {
    LoopSchedule schedule;
    if (accept("tile")) schedule.tile = small_integer();
    if (accept("rest")) schedule.rest = list("[", "]", [this] { return small_integer(); });
    if (accept("panels")) schedule.panels = list("[", "]", [this] { return panel(); });
    schedule.packed = packs();
    if (!schedule.packed.empty()) {
      expect("of");
      schedule.packed_tiles = integer();
    }
    schedule.prefetched = registers("prefetch");
    if (!schedule.prefetched.empty()) {
      expect("level");
      schedule.prefetch_level = small_integer();
    }
    if (accept("by")) {
      expect("rows");
      schedule.epilogue = Epilogue::kByRows;
    } else if (accept("waiting")) {
      schedule.epilogue = Epilogue::kWaiting;
    } else if (accept("beside")) {
      schedule.epilogue = Epilogue::kBeside;
      schedule.beside_steps = integer();
    }
    return schedule;
  }

  Panel panel() {
    Panel panel;
    panel.begin = integer();
    expect("..");
    panel.end = accept("rows") ? kBatch : integer();
    expect("by");
    panel.width = small_integer();
    if (accept("reach")) panel.reach = integer();
    panel.packed = packs();
    return panel;
  }

  std::vector<Pack> packs() {
    if (!accept("pack")) return {};
    return list("[", "]", [this] {
      Pack pack{.load = reg()};
      if (accept("squares")) pack.square = small_integer();
      if (accept("groups")) pack.group = small_integer();
      return pack;
    });
  }

  /// Registers behind `word`, if it stands there.
  std::vector<RegId> registers(std::string_view word) {
    if (!accept(word)) return {};
    return list("[", "]", [this] { return reg(); });
  }

  /// Of rows or lanes of a tile.
  unsigned small_integer() {
    constexpr std::int64_t kMost = 1 << 10;
    const SourceRange range = cursor_.next_range();
    const std::int64_t value = integer();
    if (value < 0 || value > kMost)
      fail_limit(range, fmt::format("a tile has at most {} rows and lanes", kMost));
    return static_cast<unsigned>(std::clamp<std::int64_t>(value, 0, kMost));
  }

  /// A variable, which can be used from now on, and where it runs.
  Loop opened_range(LoopKind kind) {
    Loop result;
    result.kind = kind;
    result.name = name();
    result.var = VarId{kernel_.var_count++};
    expect("in");
    const bool has_lower = accept_list("max");
    if (is_at_name()) {
      result.block = variable();
    } else if (!accept("0")) {
      fail("a loop from `0` or from the variable of a block loop");
    }
    if (has_lower) result.lower = bounds();
    expect("..");
    const bool has_upper = accept_list("min");
    result.extent = accept("rows") ? kBatch : integer();
    if (has_upper) result.upper = bounds();
    if (accept("step")) result.step = integer();
    open_.emplace_back(result.name, result.var);
    return result;
  }

  /// `max(` or `min(`; the word alone may be the name of a loop.
  bool accept_list(std::string_view word) {
    TextCursor behind = cursor_;
    if (!behind.eat_word(word) || !behind.eat("(")) return false;
    cursor_ = behind;
    return true;
  }

  /// Up to the end of such a list.
  std::vector<Bound> bounds() {
    std::vector<Bound> result;
    while (accept(",")) result.push_back(bound());
    expect(")");
    return result;
  }

  void parse_carry(Loop& loop) {
    loop.carried = list("(", ")", [this] {
      Carried c;
      c.current = reg();
      expect("=");
      c.initial = reg();
      return c;
    });
    expect("->");
    assign(loop, "(", &Carried::result, ")");
  }

  void parse_next(Loop& loop, RegId Carried::*member) {
    if (loop.carried.empty()) return;
    expect("next");
    assign(loop, "(", member, ")");
  }

  void parse_combine(Loop& loop) {
    expect("combine");
    assign(loop, "(", &Carried::left, "|");
    assign(loop, "", &Carried::right, ")");
    loop.combine = block();
    parse_next(loop, &Carried::combined);
    expect("}");
  }

  /// One register for each carried value.
  void assign(Loop& loop, std::string_view open, RegId Carried::*member, std::string_view close) {
    if (!open.empty()) expect(open);
    for (std::size_t i = 0; i < loop.carried.size(); ++i) {
      if (i > 0) expect(",");
      loop.carried[i].*member = reg();
    }
    expect(close);
  }

  TextCursor cursor_;
  Diagnostics& diagnostics_;
  NamedPlaces places_;
  bool has_failed_ = false;
  std::size_t depth_ = 0;
  Program program_;
  Kernel kernel_;  // being read
  std::unordered_map<std::string, BufferId> buffer_ids_;
  std::vector<std::pair<std::string, VarId>> open_;  // loops around the cursor
};

}  // namespace

std::optional<Program> parse_program(Sources& sources, FileId file, Diagnostics& diagnostics) {
  return Parser(sources, file, diagnostics).run();
}

}  // namespace dlg::loop
