// Owns the proof that data that stays bytes trains and evaluates to the bits of the same data as
// floats: programs of several kinds, scales, types, targets and forms of the compiled code.
#include <fmt/format.h>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

constexpr int kRows = 37;
constexpr int kColumns = 24;

/// A field as the program scales it, and what that is of a byte.
struct Scaling {
  std::string text;
  double (*of)(double byte);
};

const std::vector<Scaling>& scalings() {
  static const std::vector<Scaling> all = {
      {"{}", [](double byte) { return byte; }},
      {"{} / 255", [](double byte) { return byte / 255; }},
      {"({} - 128) / 127.5", [](double byte) { return (byte - 128) / 127.5; }},
      {"{} / 16 - 1", [](double byte) { return byte / 16 - 1; }},
  };
  return all;
}

/// A network on `d.x`, whose rows are [24], and its loss.
struct Network {
  std::string name;
  std::string text;
  std::string loss;
};

const std::vector<Network>& networks() {
  static const std::vector<Network> all = {
      {"dense", "model net(x: [inp]) -> [k] = x |> dense(33, tanh) |> dense(3)\n",
       "cross_entropy(net(d.x), d.t)"},
      {"autoencoder", "model net(x: [inp]) -> [inp] = sigmoid((x |> dense(5, tanh) |> dense(24)) as [inp])\n",
       "(1 + float(d.t)) * mse(net(d.x), d.x)"},
      {"images",
       "model net(x: [inp]) -> [k] = (x as [chan: 1, row: 4, col: 6]) |> conv2d(5, kernel = 3) |> relu "
       "|> max_pool |> flatten |> dense(3)\n",
       "cross_entropy(net(d.x), d.t)"},
      {"slope",
       "model net(x: [inp]) -> [k] = x |> dense(9, tanh) |> dense(3)\nfn far(x: [inp]) = sum(net(x)^2)\n",
       "cross_entropy(net(d.x), d.t) + 0.001 * sum(grad(far(d.x), d.x)^2)"},
  };
  return all;
}

std::string program_text(const Network& network, const std::string& field, std::string_view dtype) {
  return fmt::format(R"(dlg 1
use {}
dim inp = 24
dim k = 3
data d {{
  x = {} as [inp]
  t = npy("t.npy")
  split = shares(train = 0.7, val = 0.3, seed = 2)
}}
{}
train {{
  minimize = {}
  optimizer = adam(lr = 0.01)
  batch = 16
  stop = [3 epochs]
}}
)",
                     dtype, field, network.text, network.loss);
}

template <class T>
std::string npy(std::string_view descr, const std::vector<T>& numbers, std::string_view shape) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", descr, shape);
  header.resize(117, ' ');
  std::string bytes("\x93NUMPY\x01\x00\x76\x00", 10);
  bytes += header + "\n";
  bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
  return bytes;
}

void write(const std::string& name, const std::string& bytes) {
  std::ofstream(name, std::ios::binary) << bytes;
}

/// Bytes in two files, the same numbers scaled, and labels.
void write_data(const Scaling& scaling) {
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < kRows * kColumns; ++i) bytes.push_back(static_cast<std::uint8_t>(i * 89 % 256));
  std::vector<double> scaled;
  for (const std::uint8_t byte : bytes) scaled.push_back(scaling.of(byte));
  const std::vector<std::uint8_t> first(bytes.begin(), bytes.begin() + 20 * kColumns);
  const std::vector<std::uint8_t> rest(bytes.begin() + 20 * kColumns, bytes.end());
  std::vector<std::int32_t> labels;
  for (int i = 0; i < kRows; ++i) labels.push_back(i * 7 % 3);
  write("x0.npy", npy("|u1", first, "(20, 24)"));
  write("x1.npy", npy("|u1", rest, "(17, 24)"));
  write("x.npy", npy("<f8", scaled, "(37, 24)"));
  write("t.npy", npy("<i4", labels, "(37,)"));
}

/// All that a training leaves, and what it says.
std::string trained(const std::string& program, const std::vector<std::string>& options) {
  write("net.dlg", program);
  std::filesystem::remove_all("runs");
  std::vector<std::string> arguments = {"train", "net.dlg", "--no-cache", "--quiet"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const Called called = call_dlg(arguments);
  INFO(program << called.err);
  REQUIRE(called.exit_code == 0);
  const Called checked = call_dlg({"check", "net.dlg"});
  INFO(checked.out << checked.err);
  CHECK(checked.exit_code == 0);
  std::ifstream weights("runs/0001-net/weights.safetensors", std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(weights), {}) + called.out;
}

TEST_CASE("data that stays bytes gives the bits of floats", "[generated]") {
  const std::vector<std::vector<std::string>> forms = {
      {}, {"--target", "avx2"}, {"--target", "sse2"}, {"--no-fuse"}, {"--threads", "2"}};
  std::size_t form = 0;
  for (const Network& network : networks()) {
    for (const Scaling& scaling : scalings()) {
      const EmptyWorkingFolder folder;
      write_data(scaling);
      const std::string field = fmt::format(fmt::runtime(scaling.text), "npy(\"x0.npy\", \"x1.npy\")");
      for (const std::string_view dtype : {"f32", "f64"}) {
        const std::vector<std::string>& options = forms[form++ % forms.size()];
        CAPTURE(network.name, scaling.text, dtype, fmt::format("{}", fmt::join(options, " ")));
        write("bytes.dlg", program_text(network, field, dtype));
        CHECK(call_dlg({"show", "bytes.dlg", "--stage", "graph"}).out.find("stored u8") != std::string::npos);
        CHECK(trained(program_text(network, field, dtype), options) ==
              trained(program_text(network, "npy(\"x.npy\")", dtype), options));
      }
    }
  }
}

}  // namespace
