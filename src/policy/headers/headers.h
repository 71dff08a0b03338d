// policy/headers: sets, adds, removes and renames header fields, of requests on their way to the
// backend and of responses on their way to the client.
//
// Order within one head: values are rendered first (they see the head as it came), then `remove`,
// `rename`, `set`, `add`.
#pragma once

#include <string>
#include <vector>

#include "policy/header_rules.h"
#include "policy/policy.h"
#include "policy/template_setting.h"
#include "schema/value.h"

namespace doorward::policy {

// `Value` is RequestTemplate or ResponseTemplate.
template <class Value>
struct HeaderChangesConfig {
  std::vector<schema::Keyed<Value>> set;
  std::vector<schema::Keyed<Value>> add;
  std::vector<std::string> remove;
  std::vector<schema::Keyed<std::string>> rename;
};

struct HeadersConfig {
  HeaderChangesConfig<RequestTemplate> request;
  HeaderChangesConfig<ResponseTemplate> response;
};

extern const schema::SchemaOf<HeadersConfig>& kHeadersSchema;

// The changes of one head, compiled: names classified, values without variables rendered.
class HeaderChanges {
 public:
  template <class Value>
  explicit HeaderChanges(const HeaderChangesConfig<Value>& config)
      : remove_(config.remove),
        nothing_(config.set.empty() && config.add.empty() && config.remove.empty() &&
                 config.rename.empty()) {
    for (const auto& item : config.set) set_.push_back(compile(item.key, item.value));
    for (const auto& item : config.add) add_.push_back(compile(item.key, item.value));
    for (const auto& item : config.rename) rename_.push_back({item.key, item.value});
  }

  void apply(http::HeaderList& headers, PolicyContext& context) const;

 private:
  struct Value {
    http::HeaderName id;
    std::string name;
    http::Template text;
    bool fixed = false;  // no variables: `fixed_value` is it
    std::string fixed_value;
  };
  struct Rename {
    std::string from;
    std::string to;
  };
  Value compile(const std::string& name, const http::Template& text);
  static void rename_field(http::HeaderList& headers, const Rename& rename, Arena& arena);
  std::string_view* render(PolicyContext& context) const;

  std::vector<Value> set_;
  std::vector<Value> add_;
  std::vector<Rename> rename_;
  NameSet remove_;
  std::size_t rendered_ = 0;  // how many values have variables
  bool nothing_;
};

class Headers final : public Policy {
 public:
  explicit Headers(const HeadersConfig& config)
      : request_(config.request), response_(config.response) {}

  Verdict on_request(PolicyContext& context) const override {
    request_.apply(context.request().headers, context);
    return Outcome::pass();
  }
  Verdict on_response(PolicyContext& context) const override {
    response_.apply(context.response().headers, context);
    return Outcome::pass();
  }

 private:
  HeaderChanges request_;
  HeaderChanges response_;
};

}  // namespace doorward::policy
