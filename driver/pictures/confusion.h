// Owns the table of which class was taken for which, and how it looks.
#pragma once

#include "driver/engine/part_result.h"
#include "driver/pictures/classification.h"
#include "driver/pictures/drawing.h"

namespace dlg {

/// How often rows of a class (its rows) were taken for a class (its columns).
TableValue confusion_of(const Classification& rows);

/// CSV: the first column says the class that rows have, the header what they were taken for.
std::string confusion_csv(const TableValue& table);

/// More classes are not drawn.
inline constexpr std::size_t kMostClasses = 2000;
/// A square for each pair of classes, blue where they are the same, else red, the darker the larger the share
/// of the rows of its class; with their counts and the names of the classes for up to 64 of them.
Drawing confusion_drawing(const TableValue& table, const std::string& part);

}  // namespace dlg
