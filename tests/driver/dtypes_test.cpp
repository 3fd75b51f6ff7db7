// Owns the proof that every operation of the language takes every element type or refuses it at its place,
// and that compiled code and the interpreter agree on what is taken.
#include <fmt/format.h>

#include "frontend/elaborate/builtins.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

/// Every built-in with one and with two arguments, and every operator; `a` and `b` are values.
std::vector<std::string> expressions() {
  std::vector<std::string> list;
  for (const Builtin& builtin : builtins()) {
    const std::string name(builtin.name);
    for (const char* arguments : {"a", "a, b", "a, 2", "1, b", "a, over = n", "b[0], a, b", "a == b, a, b"}) {
      list.push_back(name + "(" + arguments + ")");
    }
  }
  for (const char* op : {"+", "-", "*", "/", "^", "@", "<", "<=", ">", ">=", "==", "!="}) {
    list.push_back(fmt::format("a {} b", op));
    list.push_back(fmt::format("a {} 2", op));
    list.push_back(fmt::format("3 {} a", op));
  }
  for (const char* other :
       {"-a", "a[1]", "a[0..1]", "a as [m: 3]", "where(a == b, a, b)", "where(b > 1, 1, a)", "relu(a)",
        "softmax(a)", "max(min(a, b), 1)", "min(a, 1) == b"}) {
    list.emplace_back(other);
  }
  return list;
}

std::string program(const std::string& dtype, const std::string& file_dtype, const std::string& expression) {
  const std::string given = dtype == "bool" ? "d.k > 1" : "d.k";
  const std::string other = dtype == "bool" ? "d.j > 1" : "d.j";
  return "dlg 1\nuse " + file_dtype +
         "\ndata d {\n  k = [[0, 2, 3], [2, 1, 0]]\n  j = [[1, 2, 0], [3, 1, 1]]\n}\n" +
         "model net(a: " + dtype + "[n], b: " + dtype +
         "[n]) -> [] {\n  param w: [] = 0.5\n  v = " + expression +
         "\n  return w\n}\ntrain {\n  minimize = net(" + given + ", " + other +
         ")\n  optimizer = sgd(lr = 0.1)\n  stop = [1 steps]\n}\n";
}

/// `dlg check` compares compiled code with the interpreter on every named value.
TEST_CASE("every operation takes every element type or says that it does not", "[generated]") {
  const TempFolder folder;
  int taken = 0;
  int refused = 0;
  for (const char* dtype : {"bool", "i32", "i64", "f32", "f64"}) {
    const std::string file_dtype = std::string(dtype) == "f64" ? "f64" : "f32";
    for (const std::string& expression : expressions()) {
      const std::string path = folder.write("t.dlg", program(dtype, file_dtype, expression));
      const Called called = call_dlg({"check", path, "--no-cache"});
      INFO(dtype << " " << expression << "\n" << called.err << called.out);
      CHECK((called.exit_code == 0 || called.exit_code == 1));
      if (called.exit_code == 1) CHECK(called.err.find("t.dlg:") != std::string::npos);
      ++(called.exit_code == 0 ? taken : refused);
    }
  }
  CHECK(taken > 200);
  CHECK(refused > 300);
}

TEST_CASE("min and max of integers") {
  const TempFolder folder;
  const std::string path = folder.write("t.dlg", R"(dlg 1
use f64
data d {
  k = [[0, 2, 3], [2, 1, 0]]
}
model net(k: i32[n]) -> [] {
  param E: [4] = [1.0, 10.0, 100.0, 1000.0]
  return sum(gather(E, max(min(k, 2), 1)))
}
train {
  minimize = net(d.k)
  optimizer = sgd(lr = 0.1)
  stop = [1 steps]
}
check "bounded indices" {
  expect net(d.k) ~ 210 +- 0
}
)");
  const Called called = call_dlg({"check", path, "--no-cache"});
  INFO(called.err << called.out);
  CHECK(called.exit_code == 0);
}

}  // namespace
