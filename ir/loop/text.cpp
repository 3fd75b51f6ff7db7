#include "ir/loop/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

#include "ir/graph/text_comment.h"
#include "ir/loop/nest.h"
#include "ir/loop/words.h"
#include "support/quoting.h"
#include "support/text.h"

namespace dlg::loop {
namespace {

std::string reg_text(RegId reg) {
  return fmt::format("%{}", reg.index);
}

template <class Member>
std::string regs_text(const std::vector<Carried>& carried, Member member) {
  std::vector<std::string> parts;
  for (const Carried& c : carried) parts.push_back(reg_text(c.*member));
  return join_text(parts, ", ");
}

std::string extent_text(std::int64_t extent) {
  return extent == kBatch ? "rows" : std::to_string(extent);
}

std::string numbers_text(const std::vector<double>& values) {
  std::vector<std::string> parts;
  for (const double value : values) parts.push_back(number_text(value));
  return fmt::format("[{}]", join_text(parts, ", "));
}

/// "order [1/8, 0 pitch 80, 1%8]".
std::string order_text(const Layout& layout) {
  std::vector<std::string> parts;
  for (const StoragePart& part : layout.parts) {
    std::string text = std::to_string(part.axis);
    if (part.kind == StoragePart::Kind::kBlocks) text += fmt::format("/{}", part.factor);
    if (part.kind == StoragePart::Kind::kRest) text += fmt::format("%{}", part.factor);
    if (part.pitch != 0) text += fmt::format(" pitch {}", part.pitch);
    parts.push_back(std::move(text));
  }
  return fmt::format("order [{}]", join_text(parts, ", "));
}

/// The words of a comment on one line.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return std::string(trim(text));
}

class Printer {
 public:
  Printer(const Program& program, const Sources& sources) : program_(program), sources_(sources) {}

  std::string run() {
    print_settings();
    name_buffers();
    for (const BufferId id : program_.buffers.ids()) print_buffer(id);
    for (const Kernel& kernel : program_.kernels) print_kernel(kernel);
    if (!program_.copies.empty()) out_ += "\n";
    for (const Copy& copy : program_.copies) {
      line(fmt::format("copy {} -> {}", buffer_names_[copy.from], buffer_names_[copy.to]));
    }
    return std::move(out_);
  }

  KernelPattern pattern(const Kernel& kernel) {
    has_own_names_ = false;
    var_names_ = IdVector<VarId, std::string>(kernel.var_count);
    print_body(kernel.body);
    std::string text = share_text(kernel) + "\n";
    for (const BufferId id : parameters_) text += parameter_text(program_.buffers[id]) + "\n";
    return {text + out_, std::move(parameters_)};
  }

 private:
  void print_settings() {
    line(fmt::format("program batch {}", program_.batch));
    line(fmt::format("arena {}", program_.arena_bytes));
    line(fmt::format("state {}", program_.state_bytes));
    line(fmt::format("output {}", program_.output_bytes));
    line(fmt::format("stop_test {}", program_.kernels_before_stop_test));
    if (const auto& schedule = program_.schedule) {
      line(fmt::format("scheduled {} {} scratch {}", name_word(schedule->core), form_word(schedule->form),
                       schedule->scratch_bytes));
    }
    if (!program_.buffers.empty()) out_ += "\n";
  }

  void name_buffers() {
    std::vector<std::string> taken;
    for (const Buffer& buffer : program_.buffers) {
      std::string name = buffer.name;
      while (std::find(taken.begin(), taken.end(), name) != taken.end()) name += "'";
      taken.push_back(name);
      buffer_names_.add(name_word(name));
    }
  }

  void print_buffer(BufferId id) {
    const Buffer& buffer = program_.buffers[id];
    std::string text = fmt::format("buffer {}: {}", buffer_names_[id], type_text(buffer.type));
    if (!buffer.layout.parts.empty()) text += " " + order_text(buffer.layout);
    text += fmt::format(" {}", kind_word(buffer.kind));
    if (has_offset(buffer.kind)) text += fmt::format(" {}", buffer.offset);
    if (!buffer.source.empty()) text += " " + quoted(buffer.source);
    if (buffer.kind == BufferKind::kConstant) text += " " + numbers_text(buffer.literal);
    if (buffer.below > 0) text += fmt::format(" below {}", buffer.below);
    if (id == program_.loss) text += " loss";
    if (id == program_.fault) text += " fault";
    if (id == program_.weight) text += " weight";
    line(text);
  }

  /// What a kernel can tell of a buffer, but for where it lies.
  static std::string parameter_text(const Buffer& buffer) {
    const std::string place = has_offset(buffer.kind) ? "block" : std::string(kind_word(buffer.kind));
    return fmt::format("{} {} {}", type_text(buffer.type), order_text(buffer.layout), place);
  }

  void print_kernel(const Kernel& kernel) {
    out_ += "\n";
    const std::string comment = kernel_comment(kernel.origin, one_line(kernel.comment), sources_);
    line(fmt::format("kernel {}{}{} {{{}", name_word(kernel.name), share_text(kernel),
                     regs_text_of("ahead", kernel.ahead), comment));
    var_names_ = IdVector<VarId, std::string>(kernel.var_count);
    open_.clear();
    print_body(kernel.body);
    line("}");
  }

  static std::string share_text(const Kernel& kernel) {
    return kernel.share == Share::kNothing ? "" : fmt::format(" divided {}", share_word(kernel.share));
  }

  void print_body(const Body& body) {
    ++depth_;
    for (std::size_t i = 0; i < body.size(); i += group_size(body, i)) {
      const Statement& statement = body[i];
      if (group_size(body, i) > 1) {
        print_group(std::span(body).subspan(i, group_size(body, i)));
      } else if (statement.instruction) {
        print_instruction(*statement.instruction);
      }
      if (statement.store) print_store(*statement.store);
      for (const Loop& loop : statement.loop) print_loop(loop);
    }
    --depth_;
  }

  void print_group(std::span<const Statement> group) {
    line("together {");
    ++depth_;
    for (const Statement& statement : group) print_instruction(*statement.instruction);
    --depth_;
    line("}");
  }

  void print_instruction(const Instruction& i) {
    std::string text = fmt::format("{} = {}", reg_text(i.result), op_info(i.op).text);
    std::vector<std::string> args;
    for (const RegId arg : i.args) args.push_back(reg_text(arg));
    if (i.op == Op::kConst) args.push_back(number_text(i.number));
    if (i.op == Op::kLoad) args.push_back(element_text(i.buffer, i.indices));
    if (i.op == Op::kIndex) args.push_back(index_text(i.indices[0]));
    if (!args.empty()) text += " " + join_text(args, ", ");
    line(fmt::format("{} : {}", text, dtype_name(i.dtype)));
  }

  void print_store(const StoreInstruction& store) {
    line(fmt::format("store {} = {}", element_text(store.buffer, store.indices), reg_text(store.value)));
  }

  void print_loop(const Loop& loop) {
    std::string text = std::string(kind_word(loop.kind)) + " ";
    for (const Loop& outer : loop.around) text += opened_range(outer) + ", ";
    text += opened_range(loop);
    if (!loop.carried.empty()) {
      std::vector<std::string> starts;
      for (const Carried& c : loop.carried) {
        starts.push_back(fmt::format("{} = {}", reg_text(c.current), reg_text(c.initial)));
      }
      text += fmt::format(" carry ({}) -> ({})", join_text(starts, ", "),
                          regs_text(loop.carried, &Carried::result));
    }
    if (loop.schedule) text += schedule_text(*loop.schedule);
    if (!loop.straight.empty()) text += panels_text("straight", loop.straight);
    line(text + " {");
    print_body(loop.body);
    print_next(loop.carried, &Carried::next);
    open_.resize(open_.size() - 1 - loop.around.size());
    if (loop.kind == LoopKind::kLanes) print_combine(loop);
    line("}");
  }

  static std::string regs_text_of(std::string_view word, const std::vector<RegId>& loads) {
    std::vector<std::string> parts;
    for (const RegId load : loads) parts.push_back(reg_text(load));
    return loads.empty() ? "" : fmt::format(" {} [{}]", word, join_text(parts, ", "));
  }

  static std::string panel_text(const Panel& panel) {
    std::string text = fmt::format("{}..{} by {}", panel.begin, extent_text(panel.end), panel.width);
    if (panel.reach > 1) text += fmt::format(" reach {}", panel.reach);
    return text + packs_text(panel.packed);
  }

  static std::string packs_text(const std::vector<Pack>& packs) {
    std::vector<std::string> parts;
    for (const Pack& pack : packs) {
      parts.push_back(reg_text(pack.load));
      if (pack.square > 1) parts.back() += fmt::format(" squares {}", pack.square);
      if (pack.group > 1) parts.back() += fmt::format(" groups {}", pack.group);
    }
    return packs.empty() ? "" : fmt::format(" pack [{}]", join_text(parts, ", "));
  }

  static std::string panels_text(std::string_view word, const std::vector<Panel>& panels) {
    std::vector<std::string> parts;
    for (const Panel& panel : panels) parts.push_back(panel_text(panel));
    return fmt::format(" {} [{}]", word, join_text(parts, ", "));
  }

  static std::string schedule_text(const LoopSchedule& schedule) {
    std::string text;
    if (schedule.tile > 1) text += fmt::format(" tile {}", schedule.tile);
    if (!schedule.rest.empty()) text += fmt::format(" rest [{}]", fmt::join(schedule.rest, ", "));
    if (!schedule.panels.empty()) text += panels_text("panels", schedule.panels);
    text += packs_text(schedule.packed);
    if (!schedule.packed.empty()) text += fmt::format(" of {}", schedule.packed_tiles);
    text += regs_text_of("prefetch", schedule.prefetched);
    if (!schedule.prefetched.empty()) text += fmt::format(" level {}", schedule.prefetch_level);
    if (schedule.epilogue == Epilogue::kByRows) text += " by rows";
    if (schedule.epilogue == Epilogue::kWaiting) text += " waiting";
    if (schedule.epilogue == Epilogue::kBeside) text += fmt::format(" beside {}", schedule.beside_steps);
    return text;
  }

  /// The variable, which can be used from now on, and where it runs.
  std::string opened_range(const Loop& loop) {
    const std::string begin =
        within_bounds("max", loop.block.is_valid() ? var_names_[loop.block] : "0", loop.lower);
    const std::string end = within_bounds("min", extent_text(loop.extent), loop.upper);
    open_.push_back(free_name(loop.name));
    var_names_[loop.var] = open_.back();
    std::string text = fmt::format("{} in {}..{}", open_.back(), begin, end);
    if (loop.step != 1) text += fmt::format(" step {}", loop.step);
    return text;
  }

  std::string within_bounds(std::string_view word, std::string text, const std::vector<Bound>& bounds) const {
    if (bounds.empty()) return text;
    for (const Bound& bound : bounds) text += ", " + bound_text(bound);
    return fmt::format("{}({})", word, text);
  }

  void print_combine(const Loop& loop) {
    line(fmt::format("}} combine ({} | {}) {{", regs_text(loop.carried, &Carried::left),
                     regs_text(loop.carried, &Carried::right)));
    print_body(loop.combine);
    print_next(loop.carried, &Carried::combined);
  }

  template <class Member>
  void print_next(const std::vector<Carried>& carried, Member member) {
    if (carried.empty()) return;
    line(fmt::format("  next ({})", regs_text(carried, member)));
  }

  std::string element_text(BufferId buffer, const std::vector<Index>& indices) {
    std::vector<std::string> parts;
    for (const Index& index : indices) parts.push_back(index_text(index));
    return fmt::format("{}[{}]", buffer_name(buffer), join_text(parts, ", "));
  }

  std::string buffer_name(BufferId buffer) {
    if (has_own_names_) return buffer_names_[buffer];
    const auto [found, is_new] = numbers_.try_emplace(buffer, parameters_.size());
    if (is_new) parameters_.push_back(buffer);
    return fmt::format("@{}", found->second);
  }

  /// A part of a sum: whether it is subtracted, and its text.
  struct Part {
    bool is_negative;
    std::string text;
  };

  static Part product(std::int64_t factor, const std::string& name) {
    const std::int64_t size = factor < 0 ? -factor : factor;
    return {factor < 0, size == 1 ? name : fmt::format("{}*{}", size, name)};
  }

  static std::string sum_text(const std::vector<Part>& parts) {
    if (parts.empty()) return "0";
    std::string text;
    for (const Part& part : parts) {
      const bool is_first = text.empty();
      text += part.is_negative ? (is_first ? "-" : " - ") : (is_first ? "" : " + ");
      text += part.text;
    }
    return text;
  }

  std::vector<Part> parts_of(const Index& index) const {
    std::vector<Part> parts;
    for (const Index::Term& term : index.terms) parts.push_back(product(term.factor, var_names_[term.var]));
    if (index.dynamic.is_valid()) parts.push_back({false, reg_text(index.dynamic)});
    const std::int64_t offset = index.offset < 0 ? -index.offset : index.offset;
    if (offset != 0) parts.push_back({index.offset < 0, std::to_string(offset)});
    return parts;
  }

  std::string index_text(const Index& index) const { return sum_text(parts_of(index)); }

  /// What is subtracted stands last.
  std::string bound_text(const Bound& bound) const {
    std::vector<Part> parts = parts_of(bound.value);
    if (bound.rows != 0) parts.insert(parts.begin(), product(bound.rows, extent_text(kBatch)));
    std::stable_partition(parts.begin(), parts.end(), [](const Part& part) { return !part.is_negative; });
    const std::string sum = sum_text(parts);
    return bound.divisor == 1 ? sum : fmt::format("({}) / {}", sum, bound.divisor);
  }

  /// The loop's own name, or with primes when an enclosing loop has it; `rows` has a meaning in bounds.
  std::string free_name(const std::string& wanted) const {
    if (!has_own_names_) return fmt::format("v{}", open_.size());
    std::string name = is_bare_word(wanted) ? wanted : "i";
    if (name == extent_text(kBatch)) name += "'";
    while (std::find(open_.begin(), open_.end(), name) != open_.end()) name += "'";
    return name;
  }

  void line(const std::string& text) {
    out_.append(2 * depth_, ' ');
    out_ += text;
    out_ += '\n';
  }

  const Program& program_;
  const Sources& sources_;
  IdVector<BufferId, std::string> buffer_names_;
  IdVector<VarId, std::string> var_names_;
  bool has_own_names_ = true;
  std::vector<BufferId> parameters_;  // buffers without a name of their own, and their numbers
  std::map<BufferId, std::size_t> numbers_;
  std::vector<std::string> open_;  // names of the loops around the current statement
  std::size_t depth_ = 0;
  std::string out_;
};

}  // namespace

std::string print_program(const Program& program, const Sources& sources) {
  return Printer(program, sources).run();
}

KernelPattern kernel_pattern(const Program& program, const Kernel& kernel) {
  const Sources sources;
  return Printer(program, sources).pattern(kernel);
}

}  // namespace dlg::loop
