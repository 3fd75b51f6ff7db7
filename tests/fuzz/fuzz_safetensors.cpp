// Owns the fuzz target of weight files; what could be read is written and read again.
#include <cstddef>
#include <cstdint>

#include "runtime/safetensors.h"
#include "support/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const dlg::FileRequest request{"w.safetensors", "", {}};
  dlg::Diagnostics diagnostics;
  const auto file = dlg::parse_safetensors({reinterpret_cast<const char*>(data), size}, request,
                                           dlg::ChecksumRule::kIfPresent, diagnostics);
  if (!file) return 0;
  const std::string bytes = dlg::safetensors_bytes(*file);
  const auto again = dlg::parse_safetensors(bytes, request, dlg::ChecksumRule::kRequired, diagnostics);
  DLG_CHECK(again && again->tensors.size() == file->tensors.size(), "what is written is read again");
  return 0;
}
