// Owns the bytes of safetensors: an 8-byte length, a JSON header, the tensors without gaps; and its checks.
#include "runtime/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>

#include "runtime/json.h"
#include "runtime/random.h"
#include "support/arithmetic.h"
#include "support/check.h"
#include "support/text.h"

namespace dlg {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian, and so are we");

constexpr std::uint64_t kLongestHeader = 100'000'000;
constexpr std::size_t kLengthBytes = 8;
/// More than any model has; reading them takes a fraction of a second.
constexpr std::size_t kMostTensors = 100'000;
constexpr std::string_view kChecksumKey = "dlg.checksum";
constexpr std::string_view kChecksumText = "\"dlg.checksum\":\"";
constexpr std::size_t kChecksumDigits = 16;

constexpr Diag<std::string, std::string> kDamaged{DiagCode::WeightsDamaged, Severity::kError, "`{}`: {}"};
constexpr Diag<std::string, std::string> kChecksum{DiagCode::WeightsChecksum, Severity::kError, "`{}`: {}"};
constexpr Diag<std::string, std::string> kMismatch{DiagCode::WeightsMismatch, Severity::kError,
                                                   "`{}` does not fit the program: {}"};
constexpr Diag<std::string, std::string, std::int64_t, std::string> kNotFinite{
    DiagCode::WeightsNotFinite, Severity::kError,
    "`{0}`: element {2} of `{1}` is {3}, expected a finite number"};

struct TypeName {
  DType type;
  std::string_view name;
};
constexpr std::array<TypeName, 5> kTypes = {{{DType::kF32, "F32"},
                                             {DType::kF64, "F64"},
                                             {DType::kI32, "I32"},
                                             {DType::kI64, "I64"},
                                             {DType::kBool, "BOOL"}}};

std::optional<DType> type_of(std::string_view name) {
  const auto found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeName& t) { return t.name == name; });
  if (found == kTypes.end()) return std::nullopt;
  return found->type;
}

/// Bytes of a tensor; nullopt if it has an axis below 1 or the product does not fit.
std::optional<std::int64_t> byte_count(const std::vector<std::int64_t>& shape, DType type) {
  std::optional<std::int64_t> bytes = dtype_bytes(type);
  for (const std::int64_t axis : shape) {
    if (axis < 1) return std::nullopt;
    bytes = checked_mul(*bytes, axis);
    if (!bytes) return std::nullopt;
  }
  return bytes;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::size_t count_of(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + word.size())) {
    ++count;
  }
  return count;
}

std::string checksum_text(std::uint64_t hash) {
  return fmt::format("{:016x}", hash);
}

/// Of a whole file, with zeros in the place of its own digits.
std::string checksum_of(std::string_view bytes, std::size_t digits_at) {
  const std::string zeros(kChecksumDigits, '0');
  const std::uint64_t head = fnv1a(zeros, fnv1a(bytes.substr(0, digits_at)));
  return checksum_text(fnv1a(bytes.substr(digits_at + kChecksumDigits), head));
}

/// The whole numbers of a JSON array; nullopt if it is none, or has anything else.
std::optional<std::vector<std::int64_t>> integers(const Json* value) {
  const Json::Array* array = value == nullptr ? nullptr : value->as_array();
  if (array == nullptr) return std::nullopt;
  std::vector<std::int64_t> result;
  for (const Json& element : *array) {
    const std::int64_t* integer = element.as_integer();
    if (integer == nullptr) return std::nullopt;
    result.push_back(*integer);
  }
  return result;
}

/// Reads one file; the first thing that is wrong ends it.
class Reader {
 public:
  Reader(std::string_view bytes, const FileRequest& file, Diagnostics& diagnostics)
      : bytes_(bytes), file_(file), diagnostics_(diagnostics) {}

  std::optional<TensorFile> read(ChecksumRule rule) {
    if (!take_header_text() || !check_sum(rule)) return std::nullopt;
    const JsonResult header = parse_json(header_, 8);
    if (!header.value) return fail("its header is damaged: " + header.error);
    const Json::Object* members = header.value->as_object();
    if (members == nullptr) return fail("its header is not a JSON object");
    for (const auto& [name, value] : *members) {
      if (name == "__metadata__" ? !take_metadata(value) : !take_tensor(name, value)) return std::nullopt;
    }
    if (!check_tiling()) return std::nullopt;
    return std::move(result_);
  }

 private:
  struct Extent {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::size_t tensor = 0;
  };

  std::nullopt_t fail(const std::string& what) {
    diagnostics_.report(file_.range, kDamaged, file_.name(), what);
    return std::nullopt;
  }

  bool refuse(const std::string& what) {
    fail(what);
    return false;
  }

  bool take_header_text() {
    const auto whole = static_cast<std::int64_t>(bytes_.size());
    if (bytes_.size() < kLengthBytes)
      return refuse(fmt::format("it is only {} long", counted(whole, "byte")));
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), kLengthBytes);
    if (length > kLongestHeader)
      return refuse(fmt::format("its header claims {} bytes, over 100 MB", length));
    const std::uint64_t room = bytes_.size() - kLengthBytes;
    if (length > room) {
      return refuse(
          fmt::format("its header claims {} bytes, but only {} follow: it was cut short", length, room));
    }
    header_ = bytes_.substr(kLengthBytes, length);
    data_ = bytes_.substr(kLengthBytes + length);
    if (const std::size_t count = count_of(header_, "\"dtype\""); count > kMostTensors) {
      return refuse(fmt::format("it has {} tensors, expected at most {}", count, kMostTensors));
    }
    if (!header_.starts_with('{')) return refuse("its header does not start with `{`");
    return true;
  }

  bool check_sum(ChecksumRule rule) {
    const std::size_t key_at = header_.find(kChecksumText);
    const std::size_t digits_at = key_at + kChecksumText.size();
    if (key_at == std::string_view::npos || digits_at + kChecksumDigits > header_.size()) {
      if (rule == ChecksumRule::kIfPresent) return true;
      return bad_sum("it has no checksum, so it was not written by dlg or was changed");
    }
    const std::string_view found = header_.substr(digits_at, kChecksumDigits);
    if (found == checksum_of(bytes_, kLengthBytes + digits_at)) return true;
    return bad_sum("its checksum does not fit its contents: it was changed or cut short");
  }

  bool bad_sum(const std::string& what) {
    diagnostics_.report(file_.range, kChecksum, file_.name(), what);
    return false;
  }

  bool take_metadata(const Json& value) {
    const Json::Object* members = value.as_object();
    if (members == nullptr) return refuse("its metadata is not a JSON object");
    for (const auto& [key, item] : *members) {
      if (item.as_text() == nullptr) return refuse(fmt::format("its metadata `{}` is not text", key));
      if (key == kChecksumKey) {
        result_.checksum = *item.as_text();
      } else {
        result_.metadata.emplace_back(key, *item.as_text());
      }
    }
    return true;
  }

  bool take_tensor(const std::string& name, const Json& value) {
    const auto wrong = [&](std::string what) { return refuse(fmt::format("tensor `{}`: {}", name, what)); };
    const Json::Object* members = value.as_object();
    if (members == nullptr || members->size() != 3) {
      return wrong("expected exactly `dtype`, `shape` and `data_offsets`");
    }
    const Json* dtype = value.find("dtype");
    if (dtype == nullptr || dtype->as_text() == nullptr) return wrong("it has no `dtype`");
    const std::optional<DType> type = type_of(*dtype->as_text());
    if (!type)
      return wrong(fmt::format("its type is `{}`, expected F32, F64, I32 or I64", *dtype->as_text()));
    const auto shape = integers(value.find("shape"));
    if (!shape) return wrong("its `shape` is not a list of whole numbers");
    const auto offsets = integers(value.find("data_offsets"));
    if (!offsets || offsets->size() != 2) return wrong("its `data_offsets` are not two whole numbers");
    return take_extent(SavedTensor{name, {*type, *shape, {}, nullptr}}, (*offsets)[0], (*offsets)[1]);
  }

  bool take_extent(SavedTensor tensor, std::int64_t begin, std::int64_t end) {
    const auto wrong = [&](std::string what) {
      return refuse(fmt::format("tensor `{}`: {}", tensor.name, what));
    };
    const std::int64_t size = static_cast<std::int64_t>(data_.size());
    if (begin < 0 || end < begin || end > size) {
      return wrong(fmt::format("its bytes {} to {} lie outside the {} bytes of data", begin, end, size));
    }
    const ArrayView& values = tensor.values;
    const std::optional<std::int64_t> wanted = byte_count(values.shape, values.type);
    if (!wanted || *wanted != end - begin) {
      return wrong(fmt::format("shape {} of {} does not fit its {}", shape_text(values.shape),
                               type_name(values.type), counted(end - begin, "byte")));
    }
    tensor.values = row_major(values.type, values.shape, data_.data() + begin);
    extents_.push_back({begin, end, result_.tensors.size()});
    result_.tensors.push_back(std::move(tensor));
    return true;
  }

  /// Sorted by place, each tensor starts where the one before ends, and the last one ends with the file.
  bool check_tiling() {
    std::sort(extents_.begin(), extents_.end(),
              [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
    std::int64_t reached = 0;
    for (const Extent& extent : extents_) {
      if (extent.begin != reached) {
        return refuse(fmt::format("tensor `{}` starts at byte {} of the data, expected {}: there is {}",
                                  result_.tensors[extent.tensor].name, extent.begin, reached,
                                  extent.begin < reached ? "an overlap" : "a hole"));
      }
      reached = extent.end;
    }
    const std::int64_t size = static_cast<std::int64_t>(data_.size());
    if (reached == size) return true;
    return refuse(fmt::format("it goes on for {} after the last tensor", counted(size - reached, "byte")));
  }

  std::string_view bytes_;
  const FileRequest& file_;
  Diagnostics& diagnostics_;
  std::string_view header_;
  std::string_view data_;
  std::vector<Extent> extents_;
  TensorFile result_;
};

Json tensor_entry(const SavedTensor& tensor, std::int64_t begin) {
  const Json::Array shape(tensor.values.shape.begin(), tensor.values.shape.end());
  const Json::Array offsets = {begin, begin + tensor.values.bytes()};
  return Json::object()
      .add_member("dtype", type_name(tensor.values.type))
      .add_member("shape", shape)
      .add_member("data_offsets", offsets);
}

Json metadata_entry(const TensorFile& file) {
  Json metadata = Json::object().add_member(std::string(kChecksumKey), std::string(kChecksumDigits, '0'));
  for (const auto& [key, value] : file.metadata) metadata.set(key, value);
  return metadata;
}

/// "W2 is F32 [10, 64], expected F32 [10, 128]", or empty.
std::string difference(const SavedTensor& tensor, const ExpectedTensor& wanted) {
  const ArrayView& found = tensor.values;
  if (found.type == wanted.type && found.shape == wanted.shape) return "";
  return fmt::format("`{}` is {} {}, expected {} {}", wanted.name, type_name(found.type),
                     shape_text(found.shape), type_name(wanted.type), shape_text(wanted.shape));
}

bool check_finite(const SavedTensor& tensor, const FileRequest& request, Diagnostics& diagnostics) {
  const std::optional<std::int64_t> bad = first_not_finite(tensor.values);
  if (!bad) return true;
  diagnostics.report(request.range, kNotFinite, request.name(), tensor.name, *bad,
                     number_text(tensor.element(*bad)));
  return false;
}

/// Puts small pieces together, so that they are written at once.
class Joined {
 public:
  explicit Joined(const TakeBytes& take) : take_(take) {}

  bool add(std::string_view piece) {
    if (waiting_.size() + piece.size() <= kMostWaiting) {
      waiting_ += piece;
      return true;
    }
    return flush() && take_(piece);
  }

  bool flush() {
    const bool is_taken = waiting_.empty() || take_(waiting_);
    waiting_.clear();
    return is_taken;
  }

 private:
  static constexpr std::size_t kMostWaiting = std::size_t{1} << 16;

  const TakeBytes& take_;
  std::string waiting_;
};

/// The whole file.
Content content_of(std::string_view header, const TensorFile& file) {
  return [header, &file](const TakeBytes& take) {
    Joined joined(take);
    const TakeBytes add = [&](std::string_view piece) { return joined.add(piece); };
    return add(header) &&
           std::all_of(file.tensors.begin(), file.tensors.end(),
                       [&](const SavedTensor& tensor) { return for_each_piece(tensor.values, add); }) &&
           joined.flush();
  };
}

}  // namespace

std::string_view type_name(DType type) {
  return std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeName& t) { return t.type == type; })->name;
}

const SavedTensor* TensorFile::find(std::string_view name) const {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const SavedTensor& t) { return t.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

const std::string* TensorFile::meta(std::string_view key) const {
  const auto found =
      std::find_if(metadata.begin(), metadata.end(), [&](const auto& item) { return item.first == key; });
  return found == metadata.end() ? nullptr : &found->second;
}

std::optional<TensorFile> parse_safetensors(std::string_view bytes, const FileRequest& file,
                                            ChecksumRule rule, Diagnostics& diagnostics) {
  return Reader(bytes, file, diagnostics).read(rule);
}

std::optional<TensorFile> read_safetensors(const FileRequest& file, ChecksumRule rule,
                                           Diagnostics& diagnostics) {
  std::optional<std::string> bytes = read_file(file, diagnostics);
  if (!bytes) return std::nullopt;
  // The elements stay where they are, wherever the result goes.
  auto kept = std::make_unique<const std::string>(*std::move(bytes));
  std::optional<TensorFile> read = parse_safetensors(*kept, file, rule, diagnostics);
  if (read) read->bytes = std::move(kept);
  return read;
}

std::string safetensors_header(const TensorFile& file) {
  // The metadata comes first, so that the first match of the checksum's key is the checksum.
  Json header = Json::object().add_member("__metadata__", metadata_entry(file));
  std::int64_t begin = 0;
  for (const SavedTensor& tensor : file.tensors) {
    const ArrayView& values = tensor.values;
    const std::optional<std::int64_t> size = byte_count(values.shape, values.type);
    DLG_CHECK(size.has_value(), "tensor " + tensor.name + " has a shape");
    header.add_member(tensor.name, tensor_entry(tensor, begin));
    begin += *size;
  }
  std::string text = json_text(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  std::string bytes(kLengthBytes, '\0');
  std::memcpy(bytes.data(), &length, kLengthBytes);
  bytes += text;
  std::uint64_t hash = kFnv1aStart;
  content_of(bytes, file)([&](std::string_view piece) {
    hash = fnv1a(piece, hash);
    return true;
  });
  const std::size_t digits_at = bytes.find(kChecksumText) + kChecksumText.size();
  bytes.replace(digits_at, kChecksumDigits, checksum_text(hash));
  return bytes;
}

std::string checksum_in(std::string_view header) {
  const std::size_t key_at = header.find(kChecksumText);
  if (key_at == std::string_view::npos) return "";
  return std::string(header.substr(key_at + kChecksumText.size(), kChecksumDigits));
}

std::string safetensors_bytes(const TensorFile& file) {
  const std::string header = safetensors_header(file);
  std::string bytes;
  content_of(header, file)([&](std::string_view piece) {
    bytes += piece;
    return true;
  });
  return bytes;
}

bool write_safetensors(const FileRequest& request, const TensorFile& file, Diagnostics& diagnostics) {
  return write_safetensors(request, file, safetensors_header(file), diagnostics);
}

bool write_safetensors(const FileRequest& request, const TensorFile& file, std::string_view header,
                       Diagnostics& diagnostics) {
  return write_file(request, content_of(header, file), diagnostics);
}

bool check_tensors(const TensorFile& file, const std::vector<ExpectedTensor>& expected,
                   const FileRequest& request, Diagnostics& diagnostics) {
  std::map<std::string_view, const SavedTensor*> left;
  for (const SavedTensor& tensor : file.tensors) left.emplace(tensor.name, &tensor);
  std::vector<std::string> problems;
  for (const ExpectedTensor& wanted : expected) {
    const auto found = left.find(wanted.name);
    if (found == left.end()) {
      problems.push_back(fmt::format("`{}` is missing", wanted.name));
      continue;
    }
    if (const std::string text = difference(*found->second, wanted); !text.empty()) problems.push_back(text);
    left.erase(found);
  }
  for (const auto& [name, tensor] : left) problems.push_back(fmt::format("`{}` is not in the program", name));
  if (!problems.empty()) {
    diagnostics.report(request.range, kMismatch, request.name(), join_text(problems, "; "));
    return false;
  }
  return std::all_of(file.tensors.begin(), file.tensors.end(),
                     [&](const SavedTensor& tensor) { return check_finite(tensor, request, diagnostics); });
}

}  // namespace dlg
