// Any bytes as the text of a section: they become a tree or findings, and both can be shown. A
// schema with every kind of field reads the tree, so that the readers see wrong shapes too. (What
// Doorward itself makes of a configuration is config_fuzz.)
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "schema/schema.h"
#include "text/yaml.h"

namespace {

using namespace doorward;

struct Inner {
  std::string url;
  std::uint16_t port = 1;
};
constexpr auto kInner = schema::schema<Inner>(
    "inner", "A section.",
    schema::field("url", &Inner::url, "URL.", schema::required(), schema::is(schema::kHttpUrl)),
    schema::field("port", &Inner::port, "Port.", schema::at_least(1)), schema::stands_for("url"));

struct Outer {
  bool on = false;
  double ratio = 0;
  Bytes size;
  Duration time{};
  Rate rate;
  ByteRate speed;
  std::vector<Inner> list;
  std::map<std::string, Inner> map;
  std::optional<Inner> maybe;
};
constexpr auto kOuter = schema::schema<Outer>(
    "outer", "All.", schema::field("on", &Outer::on, "On."),
    schema::field("ratio", &Outer::ratio, "Ratio."), schema::field("size", &Outer::size, "Size."),
    schema::field("time", &Outer::time, "Time."), schema::field("rate", &Outer::rate, "Rate."),
    schema::field("speed", &Outer::speed, "Speed."),
    schema::field("list", &Outer::list, "List.", schema::of(kInner), schema::one_or_many()),
    schema::field("map", &Outer::map, "Map.", schema::of(kInner),
                  schema::keys_are(schema::kHeaderName)),
    schema::field("maybe", &Outer::maybe, "Maybe.", schema::of(kInner), schema::or_off()));

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  const auto source = std::make_shared<text::SourceFile>("fuzz.yaml", std::move(text));
  const auto root = text::parse_yaml(source, {.nodes = 10'000});
  schema::Diagnostics diagnostics;
  if (root) {
    Outer out;
    const schema::Diagnostics::Scope scope(diagnostics, *root);
    const bool ok = kOuter.read(*root, out, diagnostics);
    if (ok != diagnostics.ok()) std::abort();
    // What was read can be written, and each finding's path and place are inside the tree.
    if (ok && kOuter.to_json(out).dump().empty()) std::abort();
  } else {
    diagnostics.add(root.error());
    if (diagnostics.ok()) std::abort();
  }
  const bool shown = !diagnostics.to_text().empty() && !diagnostics.to_json().empty();
  if (!diagnostics.ok() && !shown) std::abort();
  return 0;
}
