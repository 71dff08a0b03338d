#include "http/template.h"

#include <array>
#include <cstring>
#include <fmt/format.h>

#include "text/ascii.h"
#include "text/nearest.h"

namespace doorward::http {
namespace {

constexpr std::string_view kSpellings[] = {
#define DOORWARD_VARIABLE_TEXT(id, text) text,
    DOORWARD_TEMPLATE_VARIABLES(DOORWARD_VARIABLE_TEXT)
#undef DOORWARD_VARIABLE_TEXT
};

// Two short runs of text on the stack, more in the arena: enough for usual templates.
constexpr std::size_t kPiecesOnStack = 16;

bool is_name(std::string_view text) {
  for (char c : text) {
    if (!text::is_visible(c) || c == '{' || c == '}') return false;
  }
  return !text.empty();
}

// The prefix up to and with the second dot for named variables: "request.header." of
// "request.header.x-a".
std::string_view stem(std::string_view written) {
  const std::size_t first = written.find('.');
  if (first == std::string_view::npos) return written;
  const std::size_t second = written.find('.', first + 1);
  return second == std::string_view::npos ? written : written.substr(0, second + 1);
}

bool has_mark(const Template::Piece& piece, std::string_view value) {
  return piece.question_mark && !value.empty();
}

std::string unknown_variable(std::string_view written, std::size_t column) {
  std::string out = fmt::format("column {}: unknown variable {{{}}}", column, written);
  const std::string_view head = stem(written);
  if (auto near = text::nearest(head, kSpellings)) {
    const bool named = near->ends_with('.');
    const std::string_view name =
        head.size() < written.size() ? written.substr(head.size()) : std::string_view("NAME");
    return out + fmt::format("; did you mean {{{}{}}}?", *near, named ? name : std::string_view());
  }
  out += "; known are";
  for (std::string_view known : kSpellings) {
    out += fmt::format(" {{{}{}}}", known, known.ends_with('.') ? "NAME" : "");
  }
  return out;
}

}  // namespace

std::string_view to_string(Variable variable) {
  return kSpellings[static_cast<std::size_t>(variable)];
}

class TemplateParser {
 public:
  TemplateParser(std::string_view text, TemplateScope scope) : text_(text), scope_(scope) {}

  Result<Template> run() {
    while (at_ < text_.size()) {
      if (text_.substr(at_).starts_with("{{")) {
        literal_ += '{';
        at_ += 2;
      } else if (!begins_variable()) {
        literal_ += text_[at_++];
      } else if (auto taken = take_variable(); !taken) {
        return std::unexpected(taken.error());
      }
    }
    end_literal();
    out_.text_ = text_;
    return std::move(out_);
  }

 private:
  // "{" before anything but a letter is itself, so that JSON can be written as it is. The query's
  // question mark is the one exception.
  bool begins_variable() const {
    if (text_[at_] != '{') return false;
    const std::string_view rest = text_.substr(at_ + 1);
    return (!rest.empty() && text::is_alpha(rest[0])) || rest.starts_with("?request.query}");
  }

  Result<void> take_variable() {
    const std::size_t column = at_ + 1;
    const std::size_t close = text_.find('}', at_);
    if (close == std::string_view::npos) {
      return fail(ErrorKind::invalid,
                  fmt::format("column {}: '{{' without '}}'; a literal brace is \"{{{{\"", column));
    }
    std::string_view written = text_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
    question_mark_ = written.starts_with('?');
    if (question_mark_) written.remove_prefix(1);
    for (std::size_t i = 0; i < std::size(kSpellings); ++i) {
      const std::string_view known = kSpellings[i];
      if (known.ends_with('.') ? written.starts_with(known) : written == known) {
        return add(static_cast<Variable>(i), written, written.substr(known.size()), column);
      }
    }
    return fail(ErrorKind::invalid, unknown_variable(written, column));
  }

  Result<void> add(Variable variable, std::string_view written, std::string_view name,
                   std::size_t column) {
    if (to_string(variable).ends_with('.') && !is_name(name)) {
      return fail(
          ErrorKind::invalid,
          fmt::format("column {}: {{{}}} needs a name after the last dot", column, written));
    }
    if (scope_ == TemplateScope::request && is_response_variable(variable)) {
      return fail(
          ErrorKind::invalid,
          fmt::format("column {}: {{{}}} is not known before the response", column, written));
    }
    end_literal();
    const bool header =
        variable == Variable::request_header || variable == Variable::response_header;
    out_.pieces_.push_back(
        {false, variable, header ? text::lower_copy(name) : std::string(name), question_mark_});
    return {};
  }

  void end_literal() {
    if (literal_.empty()) return;
    out_.pieces_.push_back({true, {}, std::move(literal_), false});
    literal_.clear();
  }

  std::string_view text_;
  TemplateScope scope_;
  std::size_t at_ = 0;
  std::string literal_;
  bool question_mark_ = false;  // of the variable that is read
  Template out_;
};

Result<Template> Template::compile(std::string_view text, TemplateScope scope) {
  return TemplateParser(text, scope).run();
}

std::string_view Template::render(TemplateSource& source, Arena& arena) const {
  if (pieces_.size() == 1 && !pieces_[0].question_mark) {
    const Piece& only = pieces_[0];
    return only.literal ? std::string_view(only.text) : source.lookup(only.variable, only.text);
  }
  std::string_view on_stack[kPiecesOnStack];
  std::string_view* values = on_stack;
  if (pieces_.size() > kPiecesOnStack) {
    values = arena.array<std::string_view>(pieces_.size());
  }
  std::size_t size = 0;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    values[i] =
        piece.literal ? std::string_view(piece.text) : source.lookup(piece.variable, piece.text);
    size += values[i].size() + (has_mark(piece, values[i]) ? 1 : 0);
  }
  if (size == 0) return {};
  char* const to = arena.bytes(size);
  char* at = to;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (values[i].empty()) continue;
    if (has_mark(pieces_[i], values[i])) *at++ = '?';
    std::memcpy(at, values[i].data(), values[i].size());
    at += values[i].size();
  }
  return {to, size};
}

bool Template::is_literal() const {
  return pieces_.empty() || (pieces_.size() == 1 && pieces_[0].literal);
}

bool Template::uses(Variable variable) const {
  for (const Piece& piece : pieces_) {
    if (!piece.literal && piece.variable == variable) return true;
  }
  return false;
}

}  // namespace doorward::http
