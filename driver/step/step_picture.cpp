#include "driver/step/step_picture.h"

#include <fmt/ostream.h>

#include <algorithm>

#include "driver/cli/outputs.h"
#include "driver/pictures/names.h"
#include "driver/pictures/sheet.h"
#include "driver/step/opened_step.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<> kNoImages{DiagCode::NoImage, Severity::kError,
                           "no value of the program is an image `[chan, row, col]`"};
constexpr Diag<std::string> kNoValue{DiagCode::NoImage, Severity::kError, "{}"};
constexpr Diag<std::string, std::string> kNotAnImage{DiagCode::NoImage, Severity::kError,
                                                     "`{}` is {}, which is no image"};

/// A value, or the derivative by it.
struct Shown {
  std::string name;    // as `dlg step` shows it: `net.h`, `dnet.h`
  std::string output;  // of the inspection
  TensorType type;
  SourceRange range;

  bool is_of_sample() const { return type.shape.batch_axis() == std::size_t{0}; }
  Shape shape() const {
    const std::vector<std::int64_t>& dims = type.shape.dims();
    return is_of_sample() ? Shape(std::vector<std::int64_t>(dims.begin() + 1, dims.end())) : type.shape;
  }
};

std::vector<Shown> values_of(const Inspection& inspection) {
  std::vector<Shown> values;
  for (const InspectedValue& value : inspection.values)
    values.push_back({value.name, "value." + value.name, value.type, value.range});
  return values;
}

std::vector<Shown> derivatives_of(const Inspection& inspection) {
  std::vector<Shown> derivatives;
  for (const InspectedValue& value : inspection.values) {
    if (value.has_gradient)
      derivatives.push_back({value.name, "grad." + value.name, value.type, value.range});
  }
  return derivatives;
}

std::optional<Shown> found_among(const std::vector<Shown>& all, const std::string& wanted,
                                 NoSuchName& fault) {
  std::vector<std::string> names;
  for (const Shown& shown : all) names.push_back(shown.name);
  const std::optional<std::size_t> place = find_path(wanted, names, "value", fault);
  return place ? std::optional(all[*place]) : std::nullopt;
}

/// The first value with the axes of an image. nullopt after an error.
std::optional<Shown> first_image(Session& session, const Inspection& inspection) {
  const std::vector<Shown> values = values_of(inspection);
  const auto first = std::find_if(values.begin(), values.end(),
                                  [](const Shown& shown) { return shown.shape().rank() == 3; });
  if (first != values.end()) return *first;
  session.diagnostics.report({session.file, 0, 0}, kNoImages)
      .note("`--of net.h` shows a value `[row, col]`, or a square number of elements in one axis");
  return std::nullopt;
}

/// `net.h`, or `dnet.h` for the derivative by it. nullopt after an error.
std::optional<Shown> named_value(Session& session, const Inspection& inspection, const std::string& wanted) {
  NoSuchName fault;
  NoSuchName ignored;
  std::optional<Shown> shown = found_among(values_of(inspection), wanted, fault);
  if (shown) return shown;
  if (wanted.starts_with('d')) shown = found_among(derivatives_of(inspection), wanted.substr(1), ignored);
  if (shown) {
    shown->name.insert(0, "d");
    return shown;
  }
  Report report = session.diagnostics.report({session.file, 0, 0}, kNoValue, fault.text);
  if (fault.suggestion) report.note(fmt::format("did you mean `{}`?", *fault.suggestion));
  return std::nullopt;
}

/// The numbers of the sample that is looked at.
std::vector<double> sample_values(const OpenedStep& opened, const Shown& shown) {
  std::vector<double> values = opened.laboratory->observe(opened.laboratory->initial()).at(shown.output);
  if (!shown.is_of_sample()) return values;
  const std::int64_t count = shown.shape().elements();
  const auto begin = values.begin() + opened.sample * count;
  return {begin, begin + count};
}

void write_sheet(Session& session, const StepOptions& options, const OpenedStep& opened, const Shown& shown,
                 const ImageList& images) {
  const std::vector<double> values = sample_values(opened, shown);
  if (session.diagnostics.has_errors()) return;
  const Shades shades = shades_of(values);
  const Drawing drawing = sheet_drawing(sheet_of(values, images, shades));
  const std::string bytes = picture_bytes(drawing, picture_format(options.picture));
  if (!write_file({options.picture, "", {session.file, 0, 0}}, bytes, session.diagnostics)) return;
  fmt::print(session.streams.out, "wrote {}: {} of {} x {}, {} of sample {}; {}\n", options.picture,
             counted_images(images, "plane"), images.size.rows, images.size.columns, shown.name,
             options.sample, shades_text(shades));
}

}  // namespace

int step_picture(Session& session, const StepOptions& options) {
  if (!check_outputs({{"--picture", options.picture, picture_endings()}}, "dlg step --help",
                     session.streams.err)) {
    return kExitUsage;
  }
  const std::unique_ptr<OpenedStep> opened = open_step(session, options);
  if (!opened) return session.report();
  if (!keeps_inputs(session, {options.picture}, files_of_program(session, opened->setup.program)))
    return session.report();
  const std::optional<Shown> shown = options.of.empty()
                                         ? first_image(session, opened->inspection)
                                         : named_value(session, opened->inspection, options.of);
  if (!shown) return session.report();
  if (const std::optional<ImageList> images = planes_of(shown->shape())) {
    write_sheet(session, options, *opened, *shown, *images);
  } else {
    session.diagnostics.report(shown->range, kNotAnImage, shown->name, shape_text(shown->shape()))
        .note("images are `[row, col]`, `[chan, row, col]`, or a square number of elements in one axis");
  }
  return session.report();
}

}  // namespace dlg
