#include "ir/loop/element_place.h"

#include "support/arithmetic.h"

namespace dlg::loop {

SplitIndex split_index(const Index& index, std::int64_t factor) {
  SplitIndex parts;
  for (const Index::Term& term : index.terms) {
    if (term.factor % factor == 0) {
      parts.block.terms.push_back({term.var, term.factor / factor});
    } else {
      parts.rest.terms.push_back(term);
    }
  }
  parts.block.offset = floor_div(index.offset, factor);
  parts.rest.offset = index.offset - parts.block.offset * factor;
  return parts;
}

}  // namespace dlg::loop
