// Owns the tests of the cache of objects: found again, ignored and replaced when damaged or foreign, bounded,
// optional.
#include "codegen/object_cache.h"

#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "tests/cache_folder.h"
#include "tests/catch.h"
#include "tests/step_forms.h"
#include "tests/unit/codegen/harness.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::CacheFolder;
using testing::put;

const CacheKey kKey = cache_key({"a", "b"});

TEST_CASE("cache: the key depends on every text and on where they end") {
  CHECK(cache_key({"a", "b"}) == kKey);
  CHECK(cache_key({"ab", ""}) != kKey);
  CHECK(cache_key({"a", "c"}) != kKey);
  CHECK(cache_key({"a", "b", ""}) != kKey);
}

TEST_CASE("cache: what was stored is found, under its own key only") {
  const CacheFolder folder;
  const ObjectCache cache(folder.path());
  CHECK_FALSE(cache.load(kKey));
  const std::string object("code\0more", 9);
  cache.store(kKey, object);
  CHECK(cache.load(kKey) == object);
  CHECK_FALSE(cache.load(cache_key({"other"})));
  cache.store(kKey, "newer");
  CHECK(cache.load(kKey) == "newer");
  CHECK(folder.entries().size() == 1);
}

TEST_CASE("cache: a damaged entry is not found, whichever byte is wrong or missing") {
  const CacheFolder folder;
  const ObjectCache cache(folder.path());
  cache.store(kKey, "some code");
  const fs::path entry = folder.only_entry();
  const std::string whole = bytes_of(entry);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    put(entry, flipped);
    CHECK_FALSE(cache.load(kKey));
    put(entry, whole.substr(0, i));
    CHECK_FALSE(cache.load(kKey));
  }
  put(entry, whole + "x");
  CHECK_FALSE(cache.load(kKey));
  cache.store(kKey, "some code");
  CHECK(cache.load(kKey) == "some code");
}

TEST_CASE("cache: an entry of another key, of others to write, or behind a link is not taken") {
  const CacheFolder folder;
  const ObjectCache cache(folder.path());
  cache.store(kKey, "some code");
  const fs::path entry = folder.only_entry();
  const std::string foreign = bytes_of(entry);
  REQUIRE(::chmod(entry.c_str(), 0666) == 0);
  CHECK_FALSE(cache.load(kKey));
  fs::rename(entry, folder.root() + "/elsewhere");
  REQUIRE(::chmod((folder.root() + "/elsewhere").c_str(), 0600) == 0);
  fs::create_symlink(folder.root() + "/elsewhere", entry);
  CHECK_FALSE(cache.load(kKey));
  fs::remove(entry);
  const CacheKey other = cache_key({"other"});
  cache.store(other, "other code");
  put(folder.only_entry(), foreign);
  CHECK_FALSE(cache.load(other));
}

TEST_CASE("cache: beyond its size the entries not used for longest go") {
  const CacheFolder folder;
  const ObjectCache cache(folder.path(), 3 * 1080);
  const std::string object(1000, 'x');
  std::vector<CacheKey> keys;
  for (const char* name : {"1", "2", "3"}) {
    keys.push_back(cache_key({name}));
    cache.store(keys.back(), object);
  }
  const auto now = fs::file_time_type::clock::now();
  for (const fs::path& entry : folder.entries()) fs::last_write_time(entry, now - std::chrono::hours(2));
  CHECK(cache.load(keys[0]));
  cache.store(cache_key({"4"}), object);
  CHECK(folder.entries().size() == 3);
  CHECK(cache.load(keys[0]));
  CHECK(cache.load(cache_key({"4"})));
  cache.store(cache_key({"large"}), std::string(4000, 'x'));
  CHECK_FALSE(cache.load(cache_key({"large"})));
}

TEST_CASE("cache: files left over by a process that died go, others stay") {
  const CacheFolder folder;
  const ObjectCache cache(folder.path());
  cache.store(kKey, "code");
  put(folder.path() + "/a.o.1.tmp", "");
  put(folder.path() + "/b.o.2.tmp", "");
  put(folder.path() + "/README", "");
  fs::last_write_time(folder.path() + "/a.o.1.tmp", fs::file_time_type::clock::now() - std::chrono::hours(2));
  cache.store(kKey, "code");
  CHECK_FALSE(fs::exists(folder.path() + "/a.o.1.tmp"));
  CHECK(fs::exists(folder.path() + "/b.o.2.tmp"));
  CHECK(fs::exists(folder.path() + "/README"));
}

TEST_CASE("cache: where nothing can be written, nothing is found and nothing fails") {
  const CacheFolder folder;
  put(folder.root() + "/file", "");
  for (const std::string& place : {std::string(), folder.root() + "/file", folder.root() + "/file/below"}) {
    const ObjectCache cache(place);
    cache.store(kKey, "code");
    CHECK_FALSE(cache.load(kKey));
  }
  fs::create_directory(folder.path());
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  ObjectCache(folder.path()).store(kKey, "code");
  CHECK(folder.entries().empty());
}

TEST_CASE("cache: the folder is the one that the environment names") {
  const CacheFolder folder;
  CHECK(cache_folder() == folder.path());
  ::setenv("DLG_CACHE_DIR", "", 1);
  CHECK(cache_folder().empty());
  ::unsetenv("DLG_CACHE_DIR");
  ::setenv("XDG_CACHE_HOME", "/shared", 1);
  CHECK(cache_folder() == "/shared/dlg");
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  CHECK(cache_folder() != "relative/dlg");
  ::unsetenv("XDG_CACHE_HOME");
}

TEST_CASE("cache: whoever reads while others write finds a whole entry or none") {
  const CacheFolder folder;
  const std::vector<std::string> objects{std::string(100000, 'a'), std::string(70000, 'b')};
  const auto write = [&](const std::string& object) {
    const ObjectCache cache(folder.path());
    for (int i = 0; i < 200; ++i) cache.store(kKey, object);
  };
  std::thread first(write, objects[0]);
  std::thread second(write, objects[1]);
  int torn = 0;
  for (int i = 0; i < 500; ++i) {
    const std::optional<std::string> found = ObjectCache(folder.path()).load(kKey);
    if (found && *found != objects[0] && *found != objects[1]) ++torn;
  }
  first.join();
  second.join();
  CHECK(torn == 0);
  CHECK(ObjectCache(folder.path()).load(kKey).has_value());
  CHECK(folder.entries().size() == 1);
}

loop::Program small_program(const std::string& number) {
  ProgramWriter text;
  text.output("out", "f32[3]");
  text.kernel("vector i in 0..3 {\n%0 = const " + number + " : f32\nstore out[i] = %0\n}\n");
  return text.program();
}

TEST_CASE("jit: a program comes from the cache if program and target are the same, places aside") {
  const CacheFolder folder;
  const auto is_cached = [](const loop::Program& program, Target target) {
    const CompiledProgram code = test::compiled(program, {.target = target, .caching = Caching::kOn});
    CHECK(code.entry() != nullptr);
    return code.report().is_cached;
  };
  loop::Program program = small_program("2");
  CHECK_FALSE(is_cached(program, Target::kHost));
  CHECK(is_cached(program, Target::kHost));
  program.kernels.front().comment = "something else";
  CHECK(is_cached(program, Target::kHost));
  CHECK_FALSE(is_cached(small_program("3"), Target::kHost));
  if (runnable_targets().size() > 1) CHECK_FALSE(is_cached(program, runnable_targets().back()));
  const test::CompiledAs small{.caching = Caching::kOn, .effort = Effort::kSmall};
  CHECK_FALSE(test::compiled(program, small).report().is_cached);
  CHECK(test::compiled(program, small).report().is_cached);
  const std::size_t count = folder.entries().size();
  CHECK_FALSE(test::compiled(program, {}).report().is_cached);
  CHECK(folder.entries().size() == count);
}

TEST_CASE("jit: damaged entries are compiled anew and replaced") {
  const CacheFolder folder;
  const loop::Program program = small_program("2");
  CHECK_FALSE(test::compiled(program, {.caching = Caching::kOn}).report().is_cached);
  const std::string whole = bytes_of(folder.only_entry());
  put(folder.only_entry(), std::string(whole.size(), 'x'));
  CHECK_FALSE(test::compiled(program, {.caching = Caching::kOn}).report().is_cached);
  CHECK(bytes_of(folder.only_entry()) == whole);
  CHECK(test::compiled(program, {.caching = Caching::kOn}).report().is_cached);
}

TEST_CASE("cache: several objects are kept as one") {
  for (const std::vector<std::string>& objects :
       {std::vector<std::string>{}, {""}, {"one"}, {"one", "", std::string(300, 'x')}}) {
    CHECK(separated(joined(objects)) == objects);
  }
}

}  // namespace
}  // namespace dlg
