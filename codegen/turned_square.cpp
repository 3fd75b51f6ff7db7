#include "codegen/turned_square.h"

#include <fmt/format.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_ostream.h>

#include <string>
#include <utility>

#include "codegen/emit.h"
#include "codegen/scalar_emitter.h"

namespace dlg {

using llvm::Value;

namespace {

/// Rows become columns: in stage d every lane whose number has bit d changes places with its mirror image.
Values transposed(llvm::IRBuilder<>& builder, Values rows) {
  const auto count = static_cast<unsigned>(rows.size());
  for (unsigned d = 1; d < count; d *= 2) {
    std::vector<int> upper;
    std::vector<int> lower;
    for (unsigned lane = 0; lane < count; ++lane) {
      const bool is_far = (lane & d) != 0;
      upper.push_back(static_cast<int>(is_far ? count + lane - d : lane));
      lower.push_back(static_cast<int>(is_far ? count + lane : lane + d));
    }
    for (unsigned row = 0; row < count; ++row) {
      if ((row & d) != 0) continue;
      Value* first = rows[row];
      Value* second = rows[row + d];
      rows[row] = builder.CreateShuffleVector(first, second, upper);
      rows[row + d] = builder.CreateShuffleVector(first, second, lower);
    }
  }
  return rows;
}

Value* element_at(llvm::IRBuilder<>& builder, const Square& square, Value* first, Value* distance) {
  return builder.CreateInBoundsGEP(square.element, first, distance);
}

/// The steps of all used lanes, of which the first one is at `step`. Lanes are reached from every fourth one:
/// more distances than registers would be read from the stack.
Values load_lanes(llvm::IRBuilder<>& builder, const Square& square, Value* step, Value* lane_stride) {
  constexpr unsigned kNear = 4;
  llvm::Type* vector = llvm::FixedVectorType::get(square.element, square.side);
  Values steps;
  Value* first = step;
  for (unsigned lane = 0; lane < square.used; ++lane) {
    if (lane > 0 && lane % kNear == 0)
      first = element_at(builder, square, first, times(builder, lane_stride, kNear));
    Value* place = element_at(builder, square, first, times(builder, lane_stride, lane % kNear));
    steps.push_back(builder.CreateAlignedLoad(vector, place, square.align));
  }
  return steps;
}

/// `function` gets where the first lane lies, the stride of lanes, where the copy begins, and the number of
/// steps.
void emit_squares(llvm::IRBuilder<>& builder, const std::vector<Square>& beside, llvm::Function& function) {
  const Square& any = beside.front();
  Value* lane_stride = function.getArg(1);
  const CountedLoop squares{
      i64(builder, 0), function.getArg(3), any.side, "step", {function.getArg(0), function.getArg(2)}};
  emit_counted(builder, squares, [&](Value*, const Values& at) {
    Value* from = at[0];
    Value* to = at[1];
    for (const Square& square : beside) {
      store_turned(builder, square, load_lanes(builder, square, from, lane_stride), to);
      from = element_at(builder, square, from, times(builder, lane_stride, square.side));
      to = element_at(builder, square, to, i64(builder, square.side));
    }
    return Values{element_at(builder, any, at[0], i64(builder, any.side)),
                  element_at(builder, any, at[1], i64(builder, any.side * any.pitch))};
  });
}

std::string name_of(const std::vector<Square>& beside) {
  const Square& any = beside.front();
  std::string type;
  llvm::raw_string_ostream stream(type);
  any.element->print(stream);
  std::string name = fmt::format("turned.{}.{}.{}", type, any.side, any.pitch);
  for (const Square& square : beside) name += fmt::format(".{}of{}", square.used, square.count);
  return name;
}

/// The function that copies such runs, emitted at its first use.
llvm::Function* function_of(llvm::Module& module, const std::vector<Square>& beside) {
  const std::string name = name_of(beside);
  if (llvm::Function* known = module.getFunction(name)) return known;
  llvm::LLVMContext& context = module.getContext();
  llvm::Type* pointer = llvm::PointerType::get(context, 0);
  llvm::Type* number = llvm::Type::getInt64Ty(context);
  auto* type =
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer, number, pointer, number}, false);
  auto* function = llvm::Function::Create(type, llvm::Function::InternalLinkage, name, module);
  set_kernel_attributes(*function);
  function->addFnAttr(llvm::Attribute::NoInline);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "entry", function));
  emit_squares(builder, beside, *function);
  builder.CreateRetVoid();
  return function;
}

}  // namespace

void store_turned(llvm::IRBuilder<>& builder, const Square& square, const Values& lanes, Value* to) {
  Values rows = lanes;
  llvm::Type* vector = llvm::FixedVectorType::get(square.element, square.side);
  rows.resize(square.side, llvm::Constant::getNullValue(vector));
  rows = transposed(builder, std::move(rows));
  for (unsigned step = 0; step < square.side; ++step) {
    Value* place = element_at(builder, square, to, i64(builder, step * square.pitch));
    builder.CreateAlignedStore(lane_range(builder, rows[step], 0, square.count), place, square.align);
  }
}

void emit_turned_run(llvm::IRBuilder<>& builder, const SquareRun& run) {
  llvm::Function* function = function_of(*builder.GetInsertBlock()->getModule(), run.beside);
  builder.CreateCall(function, {run.from, i64(builder, run.lane_stride), run.to, run.steps});
}

}  // namespace dlg
