// policy/rewrite: changes the path that the backend gets. The result is brought into normal form
// again (http/uri.h), and what is no valid path is refused (400).
#pragma once

#include <memory>
#include <optional>
#include <re2/re2.h>
#include <string>
#include <vector>

#include "policy/path_template.h"
#include "policy/policy.h"
#include "policy/template_setting.h"
#include "schema/value.h"

namespace doorward::policy {

class PolicyBuild;

struct RewriteRegex {
  std::string match;
  std::string to;
};

struct RewriteConfig {
  std::optional<std::string> strip_prefix;
  std::optional<std::string> add_prefix;
  std::optional<RequestTemplate> path;
  std::optional<RewriteRegex> regex;
};

extern const schema::SchemaOf<RewriteConfig>& kRewriteSchema;

class Rewrite final : public Policy {
 public:
  explicit Rewrite(const RewriteConfig& config);

  Verdict on_request(PolicyContext& context) const override;

 private:
  // A piece of `to`: text, or the group that "\1" names.
  struct Piece {
    std::string text;
    int group = -1;
  };
  // What a rule makes of the path: the path itself when it does not fit.
  std::string_view change_prefix(std::string_view path, Arena& arena) const;
  std::string_view replace(std::string_view path, Arena& arena) const;
  std::string_view expand(const re2::StringPiece* groups, Arena& arena) const;
  static Outcome take(PolicyContext& context, std::string_view path, const std::string_view* query);

  std::string strip_;  // without a "/" at its end
  std::string add_;
  std::optional<PathTemplate> path_;
  std::unique_ptr<const re2::RE2> regex_;
  std::vector<Piece> to_;
};

}  // namespace doorward::policy
