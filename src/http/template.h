// Template: a setting's value with variables in it, "https://{request.host}{request.target}".
// Compiled once with the configuration (part of a Snapshot, immutable, shared by cores), rendered
// on the request's path into its Arena. "{{" is a literal brace; "}", and "{" before anything but a
// letter, are themselves, so that JSON needs no escapes. "{?request.query}" is the query with its
// "?", or nothing when there is none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/error.h"

namespace doorward::http {

// identifier, spelling between the braces; those that end in '.' are followed by a name.
#define DOORWARD_TEMPLATE_VARIABLES(X)         \
  X(request_method, "request.method")          \
  X(request_host, "request.host")              \
  X(request_path, "request.path")              \
  X(request_query, "request.query")            \
  X(request_target, "request.target")          \
  X(request_id, "request.id")                  \
  X(request_header, "request.header.")         \
  X(request_scheme, "request.scheme")          \
  X(client_ip, "client.ip")                    \
  X(tls_version, "tls.version")                \
  X(tls_cipher, "tls.cipher")                  \
  X(tls_sni, "tls.sni")                        \
  X(tls_subject, "tls.client.subject")         \
  X(tls_names, "tls.client.names")             \
  X(tls_fingerprint, "tls.client.fingerprint") \
  X(route_name, "route.name")                  \
  X(route_param, "route.param.")               \
  X(response_status, "response.status")        \
  X(response_header, "response.header.")

enum class Variable : std::uint8_t {
#define DOORWARD_VARIABLE_ENUM(id, text) id,
  DOORWARD_TEMPLATE_VARIABLES(DOORWARD_VARIABLE_ENUM)
#undef DOORWARD_VARIABLE_ENUM
};

// "request.header."
std::string_view to_string(Variable variable);
constexpr bool is_response_variable(Variable variable) {
  return variable == Variable::response_status || variable == Variable::response_header;
}

// What the variables stand for. `name` is a header's (lower case) or a parameter's, else empty.
// What is not there is empty. The view must live as long as the arena that render() writes to.
class TemplateSource {
 public:
  virtual std::string_view lookup(Variable variable, std::string_view name) = 0;

 protected:
  ~TemplateSource() = default;
};

// May a template speak of the response?
enum class TemplateScope : std::uint8_t { request, response };

class Template {
 public:
  struct Piece {
    bool literal = true;
    Variable variable{};
    std::string text;            // the literal, or the variable's name
    bool question_mark = false;  // stands before the variable's value, when there is one
  };

  Template() = default;  // renders as nothing
  // Error::invalid names the wrong variable, the nearest right one and its column in `text`.
  static Result<Template> compile(std::string_view text, TemplateScope scope);

  // A view into the template itself when it is one literal, into the source's own memory when it
  // is one variable, else arena bytes.
  std::string_view render(TemplateSource& source, Arena& arena) const;

  const std::string& text() const { return text_; }  // as it was written
  const std::vector<Piece>& pieces() const { return pieces_; }
  bool is_literal() const;
  bool uses(Variable variable) const;

 private:
  friend class TemplateParser;
  std::string text_;
  std::vector<Piece> pieces_;
};

}  // namespace doorward::http
