// Owns the rows of a part with the largest loss, as a sheet.
#pragma once

#include <optional>
#include <vector>

#include "driver/pictures/classification.h"
#include "driver/pictures/sheet.h"

namespace dlg {

struct WorstRow {
  std::size_t place = 0;  // in the part
  double loss = 0;
};

/// The rows with the largest loss, at most `most`, the worst first, one that is no number before all others.
/// Rows that count nothing, for their weight is 0, are left out. nullopt after an error.
std::optional<std::vector<WorstRow>> worst_rows(const TrainedSetup& trained, const Part& part,
                                                std::size_t most);

/// Each row as an image, below it its class and what it was taken for, its loss, and its file or its number
/// in the data; red where it was taken for another class. nullopt after an error: the prediction reads no
/// image.
std::optional<Sheet> mistakes_sheet(const TrainedSetup& trained, const Classification& rows,
                                    const std::vector<WorstRow>& worst);

/// "test/cross/013.png: cross as circle", a line for each of these rows that was taken for another class and
/// has a file of its own.
std::vector<std::string> mistaken_files(const TrainedSetup& trained, const Classification& rows,
                                        const std::vector<WorstRow>& worst);

}  // namespace dlg
