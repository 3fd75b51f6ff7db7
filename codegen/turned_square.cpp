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

/// Of any element.
llvm::Align element_align(const llvm::IRBuilder<>& builder, llvm::Type* element) {
  const llvm::DataLayout& layout = builder.GetInsertBlock()->getModule()->getDataLayout();
  return llvm::Align(layout.getTypeStoreSize(element).getFixedValue());
}

/// The steps of used lanes, as `function` is told where they lie.
Values load_lanes(llvm::IRBuilder<>& builder, const Square& square, const SquareMemory& from) {
  llvm::Type* vector = llvm::FixedVectorType::get(square.element, square.side);
  Values lanes;
  for (unsigned lane = 0; lane < square.used; ++lane) {
    Value* distance = builder.CreateMul(from.stride, i64(builder, lane));
    Value* place = builder.CreateInBoundsGEP(square.element, from.first, distance);
    lanes.push_back(builder.CreateAlignedLoad(vector, place, element_align(builder, square.element)));
  }
  return lanes;
}

std::string name_of(const Square& square) {
  std::string type;
  llvm::raw_string_ostream stream(type);
  square.element->print(stream);
  return fmt::format("turned.{}.{}.{}.{}", type, square.side, square.used, square.count);
}

/// The function that copies such squares, emitted at its first use.
llvm::Function* function_of(llvm::Module& module, const Square& square) {
  const std::string name = name_of(square);
  if (llvm::Function* known = module.getFunction(name)) return known;
  llvm::LLVMContext& context = module.getContext();
  llvm::Type* pointer = llvm::PointerType::get(context, 0);
  llvm::Type* number = llvm::Type::getInt64Ty(context);
  llvm::Type* nothing = llvm::Type::getVoidTy(context);
  auto* type = llvm::FunctionType::get(nothing, {pointer, number, pointer, number}, false);
  auto* function = llvm::Function::Create(type, llvm::Function::InternalLinkage, name, module);
  set_kernel_attributes(*function);
  function->addFnAttr(llvm::Attribute::NoInline);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "entry", function));
  const SquareMemory to{function->getArg(2), function->getArg(3)};
  store_turned(builder, square, load_lanes(builder, square, {function->getArg(0), function->getArg(1)}), to);
  builder.CreateRetVoid();
  return function;
}

}  // namespace

void store_turned(llvm::IRBuilder<>& builder, const Square& square, const Values& lanes,
                  const SquareMemory& to) {
  Values rows = lanes;
  rows.resize(square.side,
              llvm::Constant::getNullValue(llvm::FixedVectorType::get(square.element, square.side)));
  rows = transposed(builder, std::move(rows));
  for (unsigned step = 0; step < square.side; ++step) {
    Value* distance = builder.CreateMul(to.stride, i64(builder, step));
    Value* place = builder.CreateInBoundsGEP(square.element, to.first, distance);
    builder.CreateAlignedStore(lane_range(builder, rows[step], 0, square.count), place,
                               element_align(builder, square.element));
  }
}

void emit_turned_copy(llvm::IRBuilder<>& builder, const Square& square, const SquareMemory& from,
                      const SquareMemory& to) {
  llvm::Function* function = function_of(*builder.GetInsertBlock()->getModule(), square);
  builder.CreateCall(function, {from.first, from.stride, to.first, to.stride});
}

}  // namespace dlg
