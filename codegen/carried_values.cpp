#include "codegen/carried_values.h"

namespace dlg {

using loop::Loop;

void set_carried_dtypes(ElementEmitter& elements, const Loop& loop) {
  for (const loop::Carried& carried : loop.carried) {
    const DType dtype = elements.dtype(carried.initial);
    for (const loop::RegId reg :
         {carried.current, carried.next, carried.result, carried.left, carried.right, carried.combined}) {
      if (reg.is_valid()) elements.set_dtype(reg, dtype);
    }
  }
}

Values carried_values(ElementEmitter& elements, const Loop& loop, CarriedRegister which) {
  Values values;
  for (const loop::Carried& carried : loop.carried) values.push_back(elements.wide_reg(carried.*which));
  return values;
}

void set_carried(ElementEmitter& elements, const Loop& loop, CarriedRegister which, const Values& values) {
  for (std::size_t i = 0; i < values.size(); ++i) elements.set_reg(loop.carried[i].*which, values[i]);
}

Values tile_values(ElementEmitter& elements, const Loop& loop, CarriedRegister which) {
  Values values;
  for (const loop::Carried& carried : loop.carried) {
    const Values rows = elements.wide_rows(carried.*which);
    values.insert(values.end(), rows.begin(), rows.end());
  }
  return values;
}

void set_tile_values(ElementEmitter& elements, const Loop& loop, CarriedRegister which,
                     const Values& values) {
  const std::ptrdiff_t rows = elements.tile_rows();
  auto first = values.begin();
  for (const loop::Carried& carried : loop.carried) {
    elements.set_rows_of(carried.*which, Values(first, first + rows));
    first += rows;
  }
}

}  // namespace dlg
