// Owns the weights of a layer as a sheet: what its units look for.
#pragma once

#include <optional>
#include <string>

#include "driver/pictures/classification.h"
#include "driver/pictures/images.h"

namespace dlg {

/// The numbers of a parameter, and the images in them.
struct Filters {
  std::string path;
  ImageList images;
  std::vector<double> values;
};

/// Of the parameter `wanted`, or of the layer that has one parameter `W`: `cnn.conv2d[0]`. Of none that of
/// the first convolution of images, [units, chan, row, col]; else of the first layer that reads a square of
/// numbers. nullopt after an error: there is no such parameter, or it is no image.
std::optional<Filters> filters_of_run(const TrainedSetup& trained, const std::string& wanted);

}  // namespace dlg
