// Owns reading the textual form of loop programs.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "ir/graph/named_places.h"
#include "ir/loop/lexer.h"
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

/// Turns "net.dlg:14" comments into places.
class Places {
 public:
  void note(Kernel& kernel, std::size_t index, std::string_view comment) {
    constexpr std::string_view kComputes = "computes ";
    std::string_view place = comment;
    const std::size_t split = comment.find(kComputes);
    if (split != std::string_view::npos && (split == 0 || comment[split - 1] == ' ')) {
      kernel.comment = std::string(comment.substr(split + kComputes.size()));
      place = trim(comment.substr(0, split));
    }
    const std::size_t colon = place.rfind(':');
    if (colon == std::string_view::npos) return;
    std::int64_t line = 0;
    const char* end = place.data() + place.size();
    const auto result = std::from_chars(place.data() + colon + 1, end, line);
    if (result.ec != std::errc() || result.ptr != end || line < 1) return;
    found_.push_back({index, {std::string(place.substr(0, colon)), line}});
    places_.note(found_.back().place);
  }

  void resolve(Program& program, Sources& sources) {
    places_.add_to(sources);
    for (const Found& f : found_) program.kernels[f.kernel].origin = places_.range(f.place);
  }

 private:
  struct Found {
    std::size_t kernel;
    NamedPlace place;
  };
  std::vector<Found> found_;
  NamedPlaces places_;
};

/// Recursive descent. After the first error the cursor stands at the end, so that everything returns.
class Parser {
 public:
  Parser(std::vector<Token> tokens, Diagnostics& diagnostics)
      : tokens_(std::move(tokens)), diagnostics_(diagnostics) {}

  std::optional<Program> run(Sources& sources) {
    parse_settings();
    while (accept("buffer")) parse_buffer();
    while (accept("kernel")) parse_kernel();
    while (accept("copy")) {
      const BufferId from = buffer_name();
      expect("->");
      program_.copies.push_back({from, buffer_name()});
    }
    if (peek().kind != TokenKind::kEnd) fail("`buffer`, `kernel`, `copy` or the end");
    if (has_failed_) return std::nullopt;
    places_.resolve(program_, sources);
    return std::move(program_);
  }

 private:
  // Tokens.
  const Token& peek() const { return tokens_[at_]; }

  bool is_at(std::string_view text) const {
    return (peek().kind == TokenKind::kWord || peek().kind == TokenKind::kSymbol) && peek().text == text;
  }

  bool accept(std::string_view text) {
    if (!is_at(text)) return false;
    ++at_;
    return true;
  }

  void expect(std::string_view text) {
    if (!accept(text)) fail("`" + std::string(text) + "`");
  }

  std::string found_text() const {
    return peek().kind == TokenKind::kEnd ? "the end of the text" : "`" + peek().text + "`";
  }

  void stop() {
    has_failed_ = true;
    at_ = tokens_.size() - 1;
  }

  void fail(const std::string& expected) {
    if (!has_failed_) diagnostics_.report(peek().range, kSyntax, found_text(), expected);
    stop();
  }

  void fail_limit(SourceRange range, const std::string& text) {
    if (!has_failed_) diagnostics_.report(range, kTooMuch, text);
    stop();
  }

  // Words and numbers.
  std::string name() {
    if (peek().kind != TokenKind::kWord && peek().kind != TokenKind::kString) {
      fail("a name");
      return "";
    }
    return tokens_[at_++].text;
  }

  std::int64_t integer() {
    std::int64_t value = 0;
    const std::string& text = peek().text;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (peek().kind != TokenKind::kNumber || result.ptr != text.data() + text.size() ||
        result.ec != std::errc()) {
      fail("a whole number");
      return 0;
    }
    ++at_;
    return value;
  }

  double number() {
    const bool is_negative = accept("-");
    const bool is_number = peek().kind == TokenKind::kNumber || is_at("inf") || is_at("nan");
    const std::optional<double> value = is_number ? parse_number(peek().text) : std::nullopt;
    if (!value) {
      fail("a number");
      return 0;
    }
    ++at_;
    return is_negative ? -*value : *value;
  }

  RegId reg() {
    std::uint32_t index = 0;
    const std::string& text = peek().text;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), index);
    if (peek().kind != TokenKind::kRegister) {
      fail("a register such as `%3`");
      return {};
    }
    if (result.ec != std::errc() || index >= kMaxRegisters) {
      fail_limit(peek().range, "the register number is too large");
      return {};
    }
    ++at_;
    kernel_.reg_count = std::max(kernel_.reg_count, index + 1);
    return RegId{index};
  }

  DType dtype() {
    const std::optional<DType> found = parse_dtype(peek().text);
    if (peek().kind != TokenKind::kWord || !found) {
      fail("an element type such as `f32`");
      return DType::kF32;
    }
    ++at_;
    return *found;
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
    const std::optional<Kind> found = parse(peek().text);
    if (!found || peek().kind != TokenKind::kWord) {
      fail(expected);
      return std::nullopt;
    }
    ++at_;
    return found;
  }

  std::int64_t extent() {
    if (!accept("*")) return integer();
    expect("batch");
    return kBatch;
  }

  void parse_buffer() {
    const SourceRange range = peek().range;
    Buffer buffer;
    buffer.name = name();
    expect(":");
    buffer.type.dtype = dtype();
    buffer.type.shape = Shape(list("[", "]", [this] { return extent(); }));
    if (accept("order")) buffer.order = list("[", "]", [this] { return integer(); });
    const std::optional<BufferKind> kind = parse_buffer_kind(peek().text);
    if (!kind) return fail("a kind of buffer: arena, state, data, row_order, hyper, output or constant");
    ++at_;
    buffer.kind = *kind;
    if (has_offset(*kind)) buffer.offset = integer();
    if (peek().kind == TokenKind::kString) buffer.source = name();
    if (*kind == BufferKind::kConstant) buffer.literal = list("[", "]", [this] { return number(); });
    if (accept("below")) buffer.below = integer();
    const bool is_loss = accept("loss");
    const bool is_fault = accept("fault");
    if (has_failed_) return;
    const std::string key = buffer.name;
    const BufferId id = program_.buffers.add(std::move(buffer));
    if (!buffer_ids_.emplace(key, id).second) {
      diagnostics_.report(range, kTwice, "buffer", key);
      return stop();
    }
    if (is_loss) program_.loss = id;
    if (is_fault) program_.fault = id;
  }

  // Kernels.
  void parse_kernel() {
    kernel_ = Kernel{};
    open_.clear();
    kernel_.name = name();
    if (accept("divided")) {
      kernel_.share = known_word(parse_share, "`iterations`, `panels` or `tiles`").value_or(Share::kNothing);
    }
    kernel_.ahead = registers("ahead");
    if (is_at("{")) places_.note(kernel_, program_.kernels.size(), peek().comment);
    kernel_.body = block();
    expect("}");
    program_.kernels.push_back(std::move(kernel_));
  }

  /// From `{` to before `next` or `}`.
  Body block() {
    Body body;
    if (++depth_ > kMaxDepth) {
      fail_limit(peek().range, "loops are nested more than " + counted(kMaxDepth, "level") + " deep");
    }
    expect("{");
    while (peek().kind != TokenKind::kEnd && !is_at("}") && !is_at("next")) {
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
    } while (peek().kind == TokenKind::kRegister);
    expect("}");
  }

  Statement statement() {
    Statement result;
    if (peek().kind == TokenKind::kRegister) {
      result.instruction = instruction();
    } else if (accept("store")) {
      result.store = store();
    } else if (const auto kind = parse_loop_kind(peek().text); kind && peek().kind == TokenKind::kWord) {
      ++at_;
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
    const std::optional<Op> op = parse_op(peek().text);
    if (!op || peek().kind != TokenKind::kWord) {
      fail("an instruction such as `add`");
      return i;
    }
    ++at_;
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
    const SourceRange range = peek().range;
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
    const SourceRange range = peek().range;
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
    bool is_negative = accept("-");
    while (true) {
      index_term(result, is_negative ? -1 : 1);
      is_negative = is_at("-");
      if (!accept("+") && !accept("-")) return result;
    }
  }

  void index_term(Index& result, std::int64_t sign) {
    if (peek().kind == TokenKind::kRegister) {
      if (result.dynamic.is_valid() || sign < 0) return fail("at most one added register in an index");
      result.dynamic = reg();
      return;
    }
    if (peek().kind == TokenKind::kWord) {
      result.terms.push_back({variable(), sign});
      return;
    }
    const std::int64_t value = sign * integer();
    if (accept("*")) {
      result.terms.push_back({variable(), value});
    } else if (__builtin_add_overflow(result.offset, value, &result.offset)) {
      fail_limit(peek().range, "the index is too large");
    }
  }

  Loop loop(LoopKind kind) {
    std::vector<Loop> around;
    Loop result = range(kind);
    while (kind == LoopKind::kLanes && accept(",")) {
      around.push_back(std::move(result));
      around.back().kind = LoopKind::kSerial;
      result = range(kind);
    }
    result.around = std::move(around);
    if (accept("carry")) parse_carry(result);
    if (is_at("tile") || is_at("rest") || is_at("panels")) result.schedule = loop_schedule();
    if (accept("straight")) result.straight = list("[", "]", [this] { return panel(); });
    for (const Loop& outer : result.around) open_.emplace_back(outer.name, outer.var);
    open_.emplace_back(result.name, result.var);
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
    expect("panels");
    schedule.panels = list("[", "]", [this] { return panel(); });
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
    if (accept("beside")) {
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
    const SourceRange range = peek().range;
    const std::int64_t value = integer();
    if (value < 0 || value > kMost)
      fail_limit(range, fmt::format("a tile has at most {} rows and lanes", kMost));
    return static_cast<unsigned>(std::clamp<std::int64_t>(value, 0, kMost));
  }

  /// A variable and where it runs.
  Loop range(LoopKind kind) {
    Loop result;
    result.kind = kind;
    result.name = name();
    result.var = VarId{kernel_.var_count++};
    expect("in");
    if (peek().kind == TokenKind::kWord) {
      result.block = variable();
    } else if (integer() != 0) {
      fail("a loop from `0` or from the variable of a block loop");
    }
    expect("..");
    result.extent = accept("rows") ? kBatch : integer();
    if (accept("step")) result.step = integer();
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

  std::vector<Token> tokens_;
  Diagnostics& diagnostics_;
  std::size_t at_ = 0;
  bool has_failed_ = false;
  std::size_t depth_ = 0;
  Program program_;
  Kernel kernel_;  // being read
  std::unordered_map<std::string, BufferId> buffer_ids_;
  std::vector<std::pair<std::string, VarId>> open_;  // loops around the cursor
  Places places_;
};

}  // namespace

std::optional<Program> parse_program(Sources& sources, FileId file, Diagnostics& diagnostics) {
  return Parser(lex(sources.text(file), file), diagnostics).run(sources);
}

}  // namespace dlg::loop
